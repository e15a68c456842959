import fc from 'fast-check'
import type { DeadLetterPolicy, QueueKey } from 'zaqar/storage'
import { malformedIds } from '../malformed-ids.ts'

// Alphabets are small so that the steps of a sequence meet.

/**
 * The queues of a sequence, which are picked by number: two projects, and a topic that shares its name with a queue.
 */
export function queueKeys(prefix: string): readonly QueueKey[] {
  const mine = `${prefix}mine`
  return [
    { project: mine, kind: 'queue', name: 'a' },
    { project: mine, kind: 'queue', name: 'b' },
    { project: mine, kind: 'queue', name: 'ab' },
    { project: `${prefix}yours`, kind: 'queue', name: 'a' },
    { project: mine, kind: 'topic', name: 'a' },
  ]
}

/** Most steps meet in the first queue; the second is its usual dead letter queue. */
export const anyQueue = fc.oneof(
  { weight: 12, arbitrary: fc.constant(0) },
  { weight: 5, arbitrary: fc.constant(1) },
  { weight: 2, arbitrary: fc.constantFrom(2, 3, 4) },
)

/** A topic has no claims and no dead letters. */
export const claimableQueue = fc.oneof(
  { weight: 12, arbitrary: fc.constant(0) },
  { weight: 5, arbitrary: fc.constant(1) },
  { weight: 1, arbitrary: fc.constantFrom(2, 3) },
)

/** Where dead letters are likely. */
export const deadLetterQueue = fc.constantFrom(1, 1, 1, 2, 0)

/** How the caller came by the queue: what it last saw, or what it saw before that. */
export type HandleAge = 'latest' | 'older'

export const handleAge: fc.Arbitrary<HandleAge> = fc.oneof(
  { weight: 15, arbitrary: fc.constant<HandleAge>('latest') },
  { weight: 1, arbitrary: fc.constant<HandleAge>('older') },
)

/** Something that was handed out, for this queue or for any, counted from the newest; or something never handed out. */
export type Pick = { from: 'here' | 'anywhere'; newest: number } | { malformed: string }

export const pick: fc.Arbitrary<Pick> = fc.oneof(
  { weight: 20, arbitrary: fc.record({ from: fc.constant('here' as const), newest: fc.nat(4) }) },
  { weight: 6, arbitrary: fc.record({ from: fc.constant('here' as const), newest: fc.nat(40) }) },
  { weight: 3, arbitrary: fc.record({ from: fc.constant('anywhere' as const), newest: fc.nat(40) }) },
  { weight: 1, arbitrary: fc.record({ malformed: fc.constantFrom(...malformedIds) }) },
)

export const picks = fc.array(pick, { minLength: 1, maxLength: 4 })

/** Of a request for a claim that may be repeated, or none. */
export const claimKey = fc.option(fc.constantFrom('key-1', 'key-2'), { freq: 1, nil: undefined })

export const limit = fc.constantFrom(1, 2, 3, 20)

export const client = fc.constantFrom('client-1', 'client-2')

const colour = fc.constantFrom('red', 1, '1', true, null)

/** JSON text. */
export const metadata = fc.option(colour).map((colour) => (colour === null ? '{}' : JSON.stringify({ colour })))

export const metadataFilters = fc
  .option(colour)
  .map((colour) => (colour === null ? [] : [{ key: 'colour', anyOf: [colour, 'blue'] }]))

export const deadLetter: fc.Arbitrary<DeadLetterPolicy | null> = fc.option(
  fc.record(
    {
      queue: fc.constantFrom('b', 'b', 'b', 'a', 'ab'),
      maxClaimCount: fc.constantFrom(-1, 0, 0, 1, 1, 2),
      ttlSeconds: fc.constantFrom(null, null, 1, 10),
      elsewhere: fc.constant(true as const),
    },
    { requiredKeys: ['queue', 'maxClaimCount', 'ttlSeconds'] },
  ),
  { freq: 2 },
)

/** Without what is elsewhere, for a store that knows no elsewhere. */
export function within(
  { hasElsewhere }: { readonly hasElsewhere: boolean },
  policy: DeadLetterPolicy | null,
): DeadLetterPolicy | null {
  if (policy === null || hasElsewhere) return policy
  const { elsewhere: _elsewhere, ...rest } = policy
  return rest
}
