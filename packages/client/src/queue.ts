import type { SignedUrl } from './auth.ts'
import { Claim, type ClaimTerms } from './claim.ts'
import type { ListedClaim, Message, ShownClaim } from './documents.ts'
import { pagesOf } from './pages.ts'
import { type CallOptions, memberOf, type Requests } from './requests.ts'
import { orNull, Topic } from './topic.ts'
import { randomUuid } from './uuid.ts'

export interface ClaimOptions extends ClaimTerms, CallOptions {
  /** Messages at the most. */
  readonly limit?: number | undefined
  /** How long the service may wait for something to claim, in seconds, up to 20. */
  readonly wait?: number | undefined
  /** Names the claim, so that it can be asked for again; made by the client where it is not given. */
  readonly idempotencyKey?: string | undefined
}

/** A message that is done, with the claim that holds it. */
export interface Finished {
  readonly id: string
  readonly claimId: string
}

/** What finishing and taking brought. */
export interface Exchanged<Body = unknown> {
  /** Null: there was nothing to claim. */
  readonly claim: Claim<Body> | null
  /** Ids of the finished messages that were not there any more. */
  readonly gone: readonly string[]
  /** Whether the service knows of finishing and taking: one that does not has deleted nothing. */
  readonly isKnown: boolean
}

/** What a signed URL is for. */
export interface ShareTerms {
  /** GET where it is not given. */
  readonly methods?: readonly string[]
  /** `messages` where it is not given. */
  readonly paths?: readonly ('messages' | 'subscriptions' | 'claims')[]
  /** ISO 8601; a day from now where it is not given. */
  readonly expires?: string
}

export class Queue extends Topic {
  constructor(requests: Requests, name: string) {
    super(requests, name, 'queue')
  }

  /** Null: there was nothing to claim. */
  async claim<Body = unknown>(options: ClaimOptions = {}): Promise<Claim<Body> | null> {
    return (await this.#claim<Body>({}, options)).claim
  }

  /**
   * Finish and take (an addition of this service): deletes what is done, and claims what is next, in one move. @throws
   * Forbidden when a claim does not hold its message any more; nothing has happened then
   */
  exchange<Body = unknown>(finished: readonly Finished[], options: ClaimOptions = {}): Promise<Exchanged<Body>> {
    return this.#claim<Body>({ delete: finished.map(({ id, claimId }) => ({ id, claim_id: claimId })) }, options)
  }

  /**
   * All claims that live and hold messages, oldest first, with who made them (an addition of this service). `limit`: of a
   * page; `marker`: id of the one behind which it begins, which may have ended.
   */
  claims(
    options: CallOptions & { readonly limit?: number; readonly marker?: string | undefined } = {},
  ): AsyncGenerator<ListedClaim, void> {
    const { limit, marker, ...call } = options
    const listing = { path: `${this.path}/claims`, query: { limit, marker }, key: 'claims', withEmptyPages: true }
    return pagesOf(this.requests, listing, call)
  }

  /** Null: it has ended, or holds nothing any more. */
  async getClaim<Body = unknown>(id: string, options: CallOptions = {}): Promise<ShownClaim<Body> | null> {
    return orNull(async () => (await this.send('GET', claimPath(id), options)).document)
  }

  async renewClaim(id: string, { ttl, grace }: ClaimTerms, options: CallOptions = {}): Promise<void> {
    await this.send('PATCH', claimPath(id), { body: { ttl, grace }, ...options })
  }

  async releaseClaim(id: string, options: CallOptions = {}): Promise<void> {
    await this.send('DELETE', claimPath(id), options)
  }

  /**
   * Moves dead letters back to where they came from (an addition of this service): those of the ids, or all; `rate`
   * messages a second, `limit` at the most. `done` false: there may be more, ask again.
   */
  async redrive(
    which: { readonly ids?: readonly string[]; readonly rate?: number; readonly limit?: number } = {},
    options: CallOptions = {},
  ): Promise<{ readonly moved: readonly { id: string; queue: string; href: string }[]; readonly done: boolean }> {
    const answer = await this.send('POST', '/redrive', { body: which, waits: LONGEST_REDRIVE, ...options })
    return answer.document
  }

  /** Values by which somebody without an account can do what they list. */
  async share(terms: ShareTerms = {}, options: CallOptions = {}): Promise<SignedUrl> {
    return (await this.send('POST', '/share', { body: terms, ...options })).document
  }

  async #claim<Body>(
    body: object,
    { ttl, grace, limit, wait, idempotencyKey = randomUuid(), ...options }: ClaimOptions,
  ): Promise<Exchanged<Body>> {
    const answer = await this.send('POST', '/claims', {
      query: { limit, wait },
      body: { ttl, grace, ...body },
      headers: { 'Idempotency-Key': idempotencyKey },
      waits: wait,
      ...options,
    })
    if (answer.status === 204) return { claim: null, gone: [], isKnown: false }
    const messages = memberOf<Message<Body>[]>(answer, 'messages')
    const gone: readonly string[] | undefined = answer.document.gone
    const id = messages[0] === undefined ? null : claimIn(messages[0].href)
    return { claim: id === null ? null : new Claim(this, id, messages), gone: gone ?? [], isKnown: gone !== undefined }
  }
}

/** Pages of other origins do not see `Location`, which names it as well. */
function claimIn(href: string): string | null {
  return new URL(href, 'http://service').searchParams.get('claim_id')
}

/** One request takes no longer, in seconds. */
const LONGEST_REDRIVE = 20

function claimPath(id: string): string {
  return `/claims/${encodeURIComponent(id)}`
}
