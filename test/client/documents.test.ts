/** The types of the client and the schemas of `/openapi.json` say the same. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { resolved, type Schema } from '../../packages/server/test/openapi/document.ts'
import { startService } from '../support/service.ts'
import { typeOf } from './types-of-schemas.ts'

const root = join(import.meta.dirname, '../..')

/** Types of the client, by those of the documents that they stand for. `D` has the documents, by name. */
const TYPES = {
  "D['v2.Metadata']": 'Metadata',
  "D['v2.QueueList']['queues'][number]": 'ListedQueue',
  "D['v2.TopicList']['topics'][number]": 'ListedQueue',
  "D['v2.Stats']['messages']": 'Stats',
  "D['v2.Rates']": "NonNullable<Stats['rates']>",
  "D['v2.Message']": 'Message',
  "D['v2.PoppedMessages']['messages'][number]": 'PoppedMessage',
  "D['v2.Claim']": 'ShownClaim',
  "D['v2.ClaimPage']['claims'][number]": 'ListedClaim',
  "D['v2.Redriven']": "Awaited<ReturnType<Queue['redrive']>>",
  "D['v2.Subscription']": 'Subscription',
  "D['v2.Attempt']": 'Attempt',
  "D['v2.FailurePage']['failures'][number]": 'Failure',
  "D['v2.Replayed']": "Awaited<ReturnType<Topic['replay']>>",
  "D['v2.DeliveryList']['deliveries'][number]": 'Delivery',
  "D['v2.NewSecret']": "Awaited<ReturnType<Topic['makeSecret']>>",
  "D['v2.SignedUrl']": 'SignedUrl',
  "D['v2.Pool']": 'Pool',
  "D['v2.PoolPage']['pools'][number]": 'Pool',
  "D['v2.Drain']": 'Drain',
  "D['v2.Rebalance']": 'Rebalance',
  "D['v2.Flavor']": 'Flavor',
  "D['v2.FlavorPage']['flavors'][number]": 'ListedFlavor',
  "D['v2.Health']": 'Health',
  "D['v2.StoreHealth']": 'StoreHealth',
}
/** Documents that the client takes apart, hence shows nobody. */
const TAKEN_APART = ['Links', 'Messages', 'MessagePage', 'PostedMessages', 'NewClaim', 'SubscriptionPage']
TAKEN_APART.push('NewSubscriptionId', 'Permissions')

/** Answers where two types differ, each place as a text. */
const DIFFERENCE = `
type IsSame<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type Flat<T> = T extends readonly (infer Item)[] ? readonly Flat<Item>[]
  : T extends object ? { readonly [Name in keyof T]: Flat<T[Name]> } : T
type Difference<A, B, At extends string> = IsSame<A, B> extends true ? never
  : [A, B] extends [readonly (infer X)[], readonly (infer Y)[]] ? Difference<X, Y, \`\${At}[]\`>
  : [A, B] extends [object, object] ? InMembers<A, B, At>
  : \`\${At} has another type\`
type InMembers<A, B, At extends string> = { [Name in (keyof A | keyof B) & string]-?:
  Name extends keyof A ? Name extends keyof B
    ? IsSame<Pick<A, Name>, Pick<B, Name>> extends true ? never
      : IsSame<Required<A>[Name], Required<B>[Name]> extends true ? \`\${At}.\${Name} is optional in one of them\`
      : Difference<Required<A>[Name], Required<B>[Name], \`\${At}.\${Name}\`>
    : \`\${At}.\${Name} is in the document, and not in the type\`
  : \`\${At}.\${Name} is in the type, and not in the document\` }[(keyof A | keyof B) & string]
/** An empty object fits where there is no difference. */
type Differences<Document, Type, Name extends string> = Record<Difference<Flat<Document>, Flat<Type>, Name>, true>
`

test('the types of the client have what the documents of the service have, and nothing else', async (t) => {
  const service = await startService()
  t.after(() => service.stop())
  const schemas = await schemasOf(service.url)
  const folder = mkdtempSync(join(tmpdir(), 'zaqar-types-'))
  t.after(() => rmSync(folder, { recursive: true }))

  const documents = [...schemas].map(([name, schema]) => `'${name}': ${typeOf(schema)}`)
  assert.equal(complaints(folder, documents, TYPES), '')
  const told = Object.keys(TYPES).map((type) => /'(.*?)'/.exec(type)?.[1])
  const mentioned = [...told, ...TAKEN_APART.map((name) => `v2.${name}`)]
  assert.deepEqual(new Set(mentioned), new Set(schemas.keys()), 'every document of v2 is mentioned')

  // What it says where they differ.
  const other = "'v2.Message': { id: number; href?: string; ttl: number; age: number; body: unknown; new: 1 }"
  const said = complaints(folder, [other], { "D['v2.Message']": 'Message' })
  for (const difference of [
    'Message.id has another type',
    'Message.href is optional in one of them',
    'Message.new is in the document, and not in the type',
    'Message.checksum is in the type, and not in the document',
  ]) {
    assert.ok(said.includes(difference), `${difference} in ${said}`)
  }
  assert.doesNotMatch(said, /Message\.(ttl|age|body)/)
})

/** Of v2, by name. */
async function schemasOf(url: string): Promise<Map<string, Schema>> {
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as Schema
  const schemas = Object.entries<Schema>(document.components.schemas).filter(([name]) => name.startsWith('v2.'))
  return new Map(schemas.map(([name, schema]) => [name, resolved(schema, document)]))
}

/** What the compiler says when types of documents and of the client are held against each other. */
function complaints(folder: string, documents: readonly string[], types: Readonly<Record<string, string>>): string {
  const names =
    'Attempt, Delivery, Drain, Failure, Flavor, Health, ListedClaim, ListedFlavor, ListedQueue, Message, Metadata, Pool, '
  const lines = [
    `import type { ${names} PoppedMessage, Queue, Rebalance, ShownClaim, SignedUrl, Stats, StoreHealth, Subscription, Topic }`,
    `  from ${JSON.stringify(join(root, 'packages/client/src/http.ts'))}`,
    DIFFERENCE,
    `export interface D {\n${documents.join('\n')}\n}`,
    ...Object.entries(types).map(
      ([document, type]) => `({}) satisfies Differences<${document}, ${type}, '${nameOf(type)}'>`,
    ),
  ]
  writeFileSync(join(folder, 'documents.mts'), lines.join('\n'))
  const compilerOptions = { typeRoots: [join(root, 'node_modules/@types')], rewriteRelativeImportExtensions: false }
  const config = { extends: join(root, 'tsconfig.json'), compilerOptions, include: ['documents.mts'] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const { stdout } = spawnSync(process.execPath, [tsc, '--project', folder, '--pretty', 'false'], { encoding: 'utf8' })
  return stdout
}

/** `redrive` of `Awaited<ReturnType<Queue['redrive']>>`. */
function nameOf(type: string): string {
  return /'(.*)'/.exec(type)?.[1] ?? type
}
