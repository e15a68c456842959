import { ZaqarError } from '../../core/errors.ts'
import { TrustGone, type Trusts, type TrustTokens } from '../../core/trusts.ts'
import type { Instant } from '../../model/model.ts'
import type { Clock, Timer } from '../../platform/clock.ts'
import { BoundedCache } from './bounded-cache.ts'
import { issueToken, KNOWS_ACCESS_RULES, TokenRefused } from './keystone-api.ts'
import { connectToKeystone, excerpt, type KeystoneConnection, KeystoneUnavailable } from './keystone-connection.ts'
import type { KeystoneSettings } from './keystone-settings.ts'
import { readTrustor, type Trustor } from './trustor.ts'

/** Tokens are some hundred characters. */
const KNOWN_TOKENS = { entries: 10_000, bytes: 10_000_000 }
/** A token is used no more this long before it expires: the receiver may pass it on. */
const MARGIN_MS = 60_000
/** How often a trust is asked for that expires at the same time as another one. */
const TRIES = 10
const MOST_SECONDS_LATER = 60
const TRUSTS = '/OS-TRUST/trusts'
/** Until the second attempt to end a trust. */
const SECOND_ATTEMPT_MS = 60_000

export interface TrustsParts {
  /** How Keystone is reached, and as whom: as the trustee. */
  readonly settings: KeystoneSettings
  /** Beside the services of the catalogue: `host` or `host:port`, in lower case. */
  readonly allowedHosts: readonly string[]
  readonly clock: Clock
  /** Told of a trust that could not be ended. */
  readonly onTrouble: (error: unknown, about: Readonly<Record<string, string>>) => void
}

/** The trusts of Keystone whose trustee is the service. */
export class KeystoneTrusts implements Trusts, TrustTokens {
  readonly #parts: TrustsParts
  readonly #keystone: KeystoneConnection
  readonly #tokens = new BoundedCache<string>(KNOWN_TOKENS)
  /** Those that are on their way, by trust. */
  readonly #issuing = new Map<string, Promise<string>>()
  /** Trusts that are being ended. */
  readonly #ending = new Set<Promise<void>>()
  readonly #secondAttempts = new Set<Timer>()
  #made = 0
  /** Our own user. */
  #trusteeId: Promise<string> | null = null

  constructor(parts: TrustsParts) {
    this.#parts = parts
    this.#keystone = connectToKeystone(parts.settings)
  }

  async create({ token, url, expiresAt }: { token: string; url: string; expiresAt: Instant }): Promise<string> {
    try {
      const trustor = await this.#trustorOf(token)
      this.#checkHost(url, trustor)
      return await this.#create(token, trustor, expiresAt)
    } catch (cause) {
      if (!(cause instanceof KeystoneUnavailable)) throw cause
      throw new ZaqarError('token.unverified', {}, { cause })
    }
  }

  /** What Keystone says to the caller himself: his roles as he has them now, and the catalogue that he sees. */
  async #trustorOf(token: string): Promise<Trustor> {
    const headers = { 'x-auth-token': token, 'x-subject-token': token, ...KNOWS_ACCESS_RULES }
    const { status, text } = await this.#keystone.send({ method: 'GET', path: '/auth/tokens', headers })
    const trustor = status === 200 ? readTrustor(text) : null
    if (trustor !== null) return trustor
    if (status < 500) throw new ZaqarError('trust.refused')
    throw new KeystoneUnavailable(`Keystone does not describe a token, it answers ${status}: ${excerpt(text)}`)
  }

  /**
   * A token goes to services of this cloud only: whoever else gets it can do all that the trustor may do.
   * @throws ZaqarError
   */
  #checkHost(url: string, { origins }: Trustor): void {
    const { origin, hostname, host } = URL.parse(url) ?? { origin: '', hostname: '', host: '' }
    const { allowedHosts } = this.#parts
    if (origins.has(origin) || allowedHosts.includes(hostname) || allowedHosts.includes(host)) return
    throw new ZaqarError('trust.host_unknown', { host })
  }

  async #create(token: string, { userId, projectId, roles }: Trustor, expiresAt: Instant): Promise<string> {
    const trust = {
      trustor_user_id: userId,
      trustee_user_id: await this.#trustee(),
      project_id: projectId,
      roles: roles.map((id) => ({ id })),
      impersonation: true,
      allow_redelegation: false,
    }
    for (let tries = 1; ; tries++) {
      const body = { trust: { ...trust, expires_at: this.#distinct(expiresAt, tries) } }
      const headers = { 'x-auth-token': token }
      const request = { method: 'POST', path: TRUSTS, headers, body, mayRepeat: false } as const
      const { status, text } = await this.#keystone.send(request)
      const id = status === 201 ? idIn(text) : null
      if (id !== null) return id
      if (status === 409 && tries < TRIES) continue
      // Perhaps there is another user of that name by now.
      this.#trusteeId = null
      if (status === 401 || status === 403) throw new ZaqarError('trust.refused')
      throw new KeystoneUnavailable(`Keystone makes no trust, it answers ${status}: ${excerpt(text)}`)
    }
  }

  /**
   * Keystone refuses two trusts between the same users that expire, or expired, at the same time. It compares
   * microseconds or, where its database is MySQL, seconds; so from the second try on it is some seconds later.
   */
  #distinct(expiresAt: Instant, tries: number): string {
    this.#made = (this.#made + 1) % 1000
    const at = tries === 1 ? expiresAt : expiresAt + (this.#made % MOST_SECONDS_LATER) * 1000
    return new Date(at).toISOString().replace('Z', `${String(this.#made).padStart(3, '0')}Z`)
  }

  #trustee(): Promise<string> {
    this.#trusteeId ??= this.#lookUpTrustee().catch((error) => {
      this.#trusteeId = null
      throw error
    })
    return this.#trusteeId
  }

  async #lookUpTrustee(): Promise<string> {
    const { userId } = this.#parts.settings
    if (userId !== null) return userId
    const { token } = await issueToken(this.#keystone, this.#parts.settings)
    return token.identity.userId ?? ''
  }

  async token(trustId: string, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted()
    const known = this.#tokens.get(trustId, this.#parts.clock.now())
    return known ?? (await unlessAborted(this.#shared(trustId), signal))
  }

  refresh(trustId: string): void {
    this.#tokens.delete(trustId)
  }

  /** Those who need one at the same time share it; one of them going away does not end it. */
  #shared(trustId: string): Promise<string> {
    const underWay = this.#issuing.get(trustId)
    if (underWay !== undefined) return underWay
    const issuing = this.#issue(trustId).finally(() => this.#issuing.delete(trustId))
    this.#issuing.set(trustId, issuing)
    return issuing
  }

  async #issue(trustId: string): Promise<string> {
    const askedAt = this.#parts.clock.now()
    const { id, token } = await issueToken(this.#keystone, this.#parts.settings, trustId).catch(async (cause) => {
      throw (await this.#isOver(cause))
        ? new TrustGone('Keystone gives no token of this trust any more', { cause })
        : cause
    })
    const { expiresAt } = token.identity
    const until = expiresAt - Math.min(MARGIN_MS, (expiresAt - askedAt) / 5)
    this.#tokens.set(trustId, id, { until, bytes: id.length, place: null })
    return id
  }

  /**
   * Whether Keystone knows the trust no more, or does not let it be used. It says no more than 401 of the first; so it
   * does of a trustee who is not let in at all.
   */
  async #isOver(error: unknown): Promise<boolean> {
    if (!(error instanceof TokenRefused)) return false
    if (error.status !== 401) return error.status === 403 || error.status === 404
    const trustee = issueToken(this.#keystone, this.#parts.settings)
    return trustee.then(
      () => true,
      () => false,
    )
  }

  discard(trustId: string): void {
    const ending = this.#end(trustId)
      .catch((error) => {
        this.#report(error, trustId)
        this.#endLater(trustId)
      })
      .finally(() => this.#ending.delete(ending))
    this.#ending.add(ending)
  }

  #endLater(trustId: string): void {
    const { clock } = this.#parts
    const timer = clock.at(clock.now() + SECOND_ATTEMPT_MS, () => {
      this.#secondAttempts.delete(timer)
      const ending = this.#end(trustId)
        .catch((error) => this.#report(error, trustId))
        .finally(() => this.#ending.delete(ending))
      this.#ending.add(ending)
    })
    this.#secondAttempts.add(timer)
  }

  /** In the name of the trustor, who alone may, with a token of the trust itself. */
  async #end(trustId: string): Promise<void> {
    let token: string
    try {
      token = await this.#shared(trustId)
    } catch (error) {
      if (error instanceof TrustGone) return
      throw error
    }
    this.#tokens.delete(trustId)
    const path = `${TRUSTS}/${encodeURIComponent(trustId)}`
    const { status, text } = await this.#keystone.send({ method: 'DELETE', path, headers: { 'x-auth-token': token } })
    if (status === 204 || status === 404) return
    throw new KeystoneUnavailable(`Keystone does not delete a trust, it answers ${status}: ${excerpt(text)}`)
  }

  #report(error: unknown, trustId: string): void {
    this.#parts.onTrouble(error, { trustId, operation: 'trusts.discard' })
  }

  /** Waits for the trusts that are being ended. */
  async close(): Promise<void> {
    for (const timer of this.#secondAttempts) timer.cancel()
    await Promise.all(this.#ending)
    await this.#keystone.close()
  }
}

function idIn(text: string): string | null {
  try {
    const id: unknown = (JSON.parse(text) as { trust?: { id?: unknown } } | null)?.trust?.id
    return typeof id === 'string' ? id : null
  } catch {
    return null
  }
}

/** @throws the reason of the signal */
function unlessAborted<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject, resolve } = Promise.withResolvers<T>()
  const leave = () => reject(signal.reason)
  signal.addEventListener('abort', leave, { once: true })
  answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
  return promise
}
