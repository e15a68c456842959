import { authRequest } from '../../auth/keystone/auth-request.ts'
import { createKeystoneApi, issueToken } from '../../auth/keystone/keystone-api.ts'
import { connectToKeystone, excerpt, type KeystoneConnection } from '../../auth/keystone/keystone-connection.ts'
import type { KeystoneSettings } from '../../auth/keystone/keystone-settings.ts'
import { keystoneSettings } from '../../config/keystone-settings.ts'
import type { Config } from '../../config/options.ts'
import { trusteeSettings } from '../../config/trustee-settings.ts'
import type { Clock } from '../../platform/clock.ts'
import { diskFiles } from '../../platform/disk-files.ts'

/** For each answer; a service waits as long as it is told to. */
const TIME_LIMIT_SECONDS = 5

/** What Keystone said to the service's own credentials, until it said no. */
export type KeystoneAnswers =
  | { readonly unreachable: string }
  | { readonly refused: string; readonly clockAheadMs: number | null }
  | KeystoneToken

export interface KeystoneToken {
  readonly tookMs: number
  /** How far its clock is ahead of this machine's; null where it does not say its time. */
  readonly clockAheadMs: number | null
  /** Names. */
  readonly roles: readonly string[]
  readonly project: string | null
  readonly catalogue: readonly CatalogueEntry[]
  /** Null where no trustee is configured. */
  readonly trustee: TrusteeAnswers | null
}

export interface CatalogueEntry {
  readonly type?: string
  readonly name?: string
  readonly endpoints?: readonly { readonly interface?: string; readonly url?: string }[]
}

/** `objection`: null: it gets a token, which the service may validate. */
interface TrusteeAnswers {
  readonly objection: string | null
}

interface TokenDocument {
  readonly token?: {
    readonly issued_at?: string
    readonly roles?: readonly { readonly name: string }[]
    readonly project?: { readonly name?: string }
    readonly catalog?: readonly CatalogueEntry[]
  }
}

/** Does not reject. */
export async function askKeystone(config: Config, clock: Pick<Clock, 'now'>): Promise<KeystoneAnswers> {
  let connection: KeystoneConnection | null = null
  try {
    const settings = patient(keystoneSettings(config.keystone, diskFiles))
    connection = connectToKeystone(settings)
    return await askForToken(connection, settings, config, clock)
  } catch (error) {
    return { unreachable: sentenceOf(error) }
  } finally {
    await connection?.close()
  }
}

function patient(settings: KeystoneSettings): KeystoneSettings {
  return { ...settings, retries: 0, timeoutSeconds: Math.min(settings.timeoutSeconds, TIME_LIMIT_SECONDS) }
}

async function askForToken(
  connection: KeystoneConnection,
  settings: KeystoneSettings,
  config: Config,
  clock: Pick<Clock, 'now'>,
): Promise<KeystoneAnswers> {
  const before = clock.now()
  const { status, headers, text } = await connection.send({
    method: 'POST',
    path: '/auth/tokens',
    body: authRequest(settings),
  })
  const after = clock.now()
  const document = documentIn(text)
  const clockAheadMs = aheadOf((before + after) / 2, document?.token?.issued_at ?? headers['date'])
  const id = headers['x-subject-token']
  if (status !== 201 || document?.token === undefined || typeof id !== 'string') {
    return { refused: `it answers ${status}: ${excerpt(text)}`, clockAheadMs }
  }
  const { roles = [], project, catalog = [] } = document.token
  return {
    tookMs: after - before,
    clockAheadMs,
    roles: roles.map(({ name }) => name.toLowerCase()),
    project: project?.name ?? null,
    catalogue: catalog,
    trustee: await askAsTrustee(config, settings, id),
  }
}

function documentIn(text: string): TokenDocument | null {
  try {
    return JSON.parse(text) as TokenDocument | null
  } catch {
    return null
  }
}

/** A date of HTTP is of whole seconds, cut off. */
function aheadOf(local: number, text: string | string[] | undefined): number | null {
  const told = typeof text === 'string' ? Date.parse(text) : Number.NaN
  return Number.isNaN(told) ? null : Math.round(told - local)
}

/** That token is the only one of somebody else that is at hand to be validated. */
async function askAsTrustee(
  { trustee }: Config,
  settings: KeystoneSettings,
  ownToken: string,
): Promise<TrusteeAnswers | null> {
  const asTrustee = trusteeSettings(trustee, settings)
  if (asTrustee === null) return null
  const connection = connectToKeystone(asTrustee)
  const api = createKeystoneApi(settings)
  try {
    const { id } = await issueToken(connection, asTrustee)
    const judged = await api.validate(id, { ownToken, allowExpired: true })
    return { objection: typeof judged === 'string' ? `Keystone calls its token ${judged}` : null }
  } catch (error) {
    return { objection: sentenceOf(error) }
  } finally {
    await Promise.all([connection.close(), api.close()])
  }
}

function sentenceOf(error: unknown): string {
  const { message, cause } = error as Error
  return cause instanceof Error ? `${message} (${cause.message || cause.name})` : message
}
