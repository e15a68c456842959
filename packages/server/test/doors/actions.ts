/**
 * What a client can do, in words that fit every door. Each door carries an action out in its own form, and asserts that
 * the answer has the form that it should; what is refused is thrown as `Refused`.
 */
export interface Actions {
  /** @param metadata may hold no reserved attribute, which v1 does not take */
  createQueue(queue: string, metadata?: object): Promise<'created' | 'there already'>
  deleteQueue(queue: string): Promise<void>
  /** Names, in the order of the answer. */
  listQueues(): Promise<string[]>
  stats(queue: string): Promise<Stats>
  /** Answers the ids. */
  post(queue: string, ...messages: readonly Posted[]): Promise<string[]>
  list(queue: string, how?: Listing): Promise<Page>
  /** The page behind one. */
  follow(page: Page): Promise<Page>
  /** Null: not found. */
  get(queue: string, id: string): Promise<Shown | null>
  /** Those that are found. */
  getAll(queue: string, ids: readonly string[]): Promise<Shown[]>
  /** Null: there was nothing to take. */
  claim(queue: string, terms?: Terms): Promise<Claim | null>
  /** Null: not found. */
  showClaim(queue: string, id: string): Promise<ShownClaim | null>
  /** False: not found. */
  renew(queue: string, id: string, terms: Pick<Terms, 'ttl' | 'grace'>): Promise<boolean>
  release(queue: string, id: string): Promise<void>
  delete(queue: string, id: string, claimId?: string): Promise<void>
  deleteAll(queue: string, ids: readonly string[]): Promise<void>
  /** Null where the door has none. */
  readonly pop: ((queue: string, count: number) => Promise<Omit<Shown, 'claimId'>[]>) | null
}

export interface Posted {
  readonly body: unknown
  /** In seconds; an hour where it is not given. */
  readonly ttl?: number
}

export interface Listing {
  readonly limit?: number
  readonly echo?: boolean
  readonly includeClaimed?: boolean
  readonly wait?: number
}

export interface Terms {
  /** In seconds; a minute where it is not given. */
  readonly ttl?: number
  /** In seconds; a minute where it is not given. */
  readonly grace?: number
  readonly limit?: number
  readonly wait?: number
  readonly idempotencyKey?: string
}

export interface Shown {
  readonly id: string
  readonly body: unknown
  readonly ttl: number
  readonly age: number
  /** Null: no claim is shown to hold it. */
  readonly claimId: string | null
}

export interface Page {
  readonly messages: readonly Shown[]
  /** Where the next page is; null: nothing is said of it. */
  readonly next: string | null
}

export interface Claim {
  readonly id: string
  readonly messages: readonly Shown[]
}

export interface ShownClaim extends Claim {
  readonly ttl: number
  readonly age: number
}

export interface Stats {
  readonly claimed: number
  readonly free: number
  readonly total: number
  /** Ids; null when there is no message. */
  readonly oldest: string | null
  readonly newest: string | null
}

/** An error as the contract has it. */
export class Refused extends Error {
  readonly status: number
  /** Null where the door has none. */
  readonly title: string | null
  readonly description: string

  constructor({ status, title, description }: { status: number; title: string | null; description: string }) {
    super(`${status} ${title}: ${description}`)
    this.status = status
    this.title = title
    this.description = description
  }
}

/** For `assert.rejects`: refused in that way, with a description that speaks of `mentions`. */
export function refusal(status: number, title: string, ...mentions: readonly string[]): (error: unknown) => boolean {
  return (error) =>
    error instanceof Refused &&
    error.status === status &&
    (error.title === null || error.title === title) &&
    mentions.every((text) => error.description.includes(text))
}

export function bodiesOf(shown: { readonly messages: readonly Shown[] } | null): unknown[] {
  return shown === null ? [] : shown.messages.map(({ body }) => body)
}
