/**
 * The table of options: the only place where an option has a name, a kind, a default and a meaning. `Config`, the
 * checks, help, and docs/configuration.md follow from it.
 */
import type { Kind } from './kinds.ts'
import type { OptionGroup } from './option.ts'
import { audit } from './options/audit.ts'
import { console } from './options/console.ts'
import { cors, furtherCors } from './options/cors.ts'
import { defaultGroup } from './options/default.ts'
import { drivers } from './options/drivers.ts'
import { http, listener, ssl } from './options/http.ts'
import { keystoneAuthtoken } from './options/keystone.ts'
import { libraries } from './options/libraries.ts'
import { metrics } from './options/metrics.ts'
import { notification } from './options/notification.ts'
import { osloPolicy, policy } from './options/policy.ts'
import { pooling, poolingCatalog } from './options/pooling.ts'
import { projectLimits } from './options/project-limits.ts'
import { signedUrl } from './options/signed-url.ts'
import { storage } from './options/storage.ts'
import { transport } from './options/transport.ts'
import { trustee } from './options/trustee.ts'

/** In the order of docs/configuration.md. */
export const groups = [
  defaultGroup,
  transport,
  listener,
  http,
  ssl,
  projectLimits,
  audit,
  metrics,
  console,
  storage,
  ...drivers,
  notification,
  signedUrl,
  policy,
  pooling,
  poolingCatalog,
  keystoneAuthtoken,
  osloPolicy,
  cors,
  furtherCors,
  trustee,
  ...libraries,
] as const satisfies readonly OptionGroup[]

type Row = (typeof groups)[number]['options'][number]
type UsedRow = Extract<Row, { readonly key: string }>
type Head<Key> = Key extends `${infer Section}.${string}` ? Section : never
type Tail<Key> = Key extends `${string}.${infer Field}` ? Field : never
type Value<R> = R extends { readonly kind: Kind<infer T>; readonly default: infer D }
  ? D extends string
    ? T
    : T | null
  : never

/** What the server runs with: the rows of the table that have a `key`. */
export type Config = {
  readonly [Section in Head<UsedRow['key']>]: {
    readonly [R in UsedRow as R['key'] extends `${Section}.${string}` ? Tail<R['key']> : never]: Value<R>
  }
}
