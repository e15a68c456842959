/** Compares a queue or topic at both sides, after a pass has gone through the source. */
import { createHash } from 'node:crypto'
import type { Instant } from '../../model/model.ts'
import { digestOf } from './import-queue.ts'
import type { ImportState, QueueRow } from './import-state.ts'
import { messagePages } from './listings.ts'
import type { Side } from './side.ts'

export interface Verification {
  /** Messages that this pass has found at the source. */
  readonly source: number
  /** Those of them that the destination shows. */
  readonly destination: number
  /** SHA-256 over their bodies, in the order of the source. */
  readonly sourceDigest: string
  /** The same, in the order of the destination. */
  readonly destinationDigest: string
  /** At the source, and not at the destination, where they should live still. */
  readonly missing: number
  /** At the source, and at the destination at their end. */
  readonly expired: number
  /** At the destination, and brought by nobody. */
  readonly others: number
  /** Nothing is missing, and the digests are the same. */
  readonly isRight: boolean
}

interface VerificationOptions {
  readonly row: QueueRow
  readonly destination: Side
  readonly state: ImportState
  now(): Instant
  readonly signal: AbortSignal
}

/** @throws ZaqarError, or the reason of the signal */
export async function verifyQueue(options: VerificationOptions): Promise<Verification> {
  const { row, destination, state, now, signal } = options
  state.beginVerification()
  let others = 0
  let place = 0
  for await (const { messages } of messagePages(destination.at(row), {
    limit: destination.messagePages,
    signal,
  })) {
    state.transaction(() => {
      for (const { id, body } of messages) {
        const known = state.byDestinationId(row.id, id)
        if (known === undefined) others += 1
        if (known === undefined || known.pass < state.pass || known.verified === state.pass) continue
        place += 1
        state.verifyMessage(row.id, known, place, digestOf(body))
      }
    })
  }
  const { atSource, missing, expired } = state.countMessages(row.id, now())
  const sourceDigest = digestOfAll(state.verifiedAtSource(row.id))
  const destinationDigest = digestOfAll(state.verifiedAtDestination())
  const isRight = missing === 0 && sourceDigest === destinationDigest
  return { source: atSource, destination: place, sourceDigest, destinationDigest, missing, expired, others, isRight }
}

function digestOfAll(digests: Iterable<Uint8Array>): string {
  const hash = createHash('sha256')
  for (const digest of digests) hash.update(digest)
  return hash.digest('hex')
}
