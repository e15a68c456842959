/**
 * What has become of an operation, as far as a client can know: `unknown` when the service went away before it
 * answered.
 */
export type Outcome = 'acknowledged' | 'unknown'

/** A message says in its body who wrote it and as what number. */
export interface Mark {
  readonly writer: string
  readonly number: number
}

export function keyOf({ writer, number }: Mark): string {
  return `${writer} ${number}`
}

/** Messages of one POST: all or none of them are there. */
export interface Batch {
  readonly queue: string
  readonly keys: readonly string[]
  readonly outcome: Outcome
}

export interface HeldClaim {
  readonly href: string
  /** Keys of its messages. */
  readonly keys: ReadonlySet<string>
}

/** All that the clients of a service have been told, and what they do not know. */
export class History {
  readonly batches: Batch[] = []
  /** By key of the message: what is known of its deletion, with or without a claim, or of its pop. */
  readonly deletions = new Map<string, Outcome>()
  /** Claims that were answered and not released. */
  readonly claims = new Map<string, HeldClaim>()
  /** How many messages pops may have taken that were never answered, by queue. */
  readonly unansweredPops = new Map<string, number>()

  batchesOf(queue: string): Batch[] {
    return this.batches.filter((batch) => batch.queue === queue)
  }
}
