import type { Instant, QueueKey } from '../../model/model.ts'
import { failuresOf, type SealedKind, type Sealer } from '../sealed-id.ts'

/** What an id names: a message, claim or departure by its number in an incarnation. */
export type Identity = readonly [incarnation: number, number: number]

/**
 * Where a listing starts: a place, a place in the order of posting, or a message, which stands for both at its POST.
 */
export type Position = readonly [incarnation: number, number: number, kind: 'marker' | 'posting' | 'message']

/** Ids and markers. */
export class Identifiers {
  readonly #sealer: Sealer

  constructor(sealer: Sealer) {
    this.#sealer = sealer
  }

  ofMessages(messages: readonly (readonly [...Identity, createdAt: Instant])[]): string[] {
    return this.#sealer.sealAll(
      messages.map(([incarnation, number, createdAt]) => ({ kind: 'message', incarnation, number, createdAt })),
    )
  }

  ofClaim(identity: Identity): string {
    return this.#seal('claim', identity)
  }

  ofDeparture(identity: Identity): string {
    return this.#seal('departure', identity)
  }

  ofMarker(incarnation: number, place: number): string {
    return this.#seal('marker', [incarnation, place])
  }

  ofPosting(incarnation: number, number: number): string {
    return this.#seal('posting', [incarnation, number])
  }

  /** Markers of places, or of places in the order of posting. */
  ofPositions(kind: 'marker' | 'posting', incarnation: number, numbers: readonly number[]): string[] {
    return this.#sealer.sealAll(numbers.map((number) => ({ kind, incarnation, number, createdAt: 0 })))
  }

  ofFailure(queue: QueueKey, subscription: string, place: number): string {
    return this.#seal('failure', [failuresOf(queue, subscription), place])
  }

  /** Names nothing when `id` is none of a message. */
  message(id: string): Identity {
    return this.#open('message', id) ?? NOTHING
  }

  /** Of those that are ids of messages, each once. */
  messages(ids: readonly string[]): Identity[] {
    return [...new Set(ids)].flatMap((id) => {
      const identity = this.#open('message', id)
      return identity ? [identity] : []
    })
  }

  /** Names no claim when `id` is none of one. */
  claim(id: string): Identity {
    return this.#open('claim', id) ?? NOTHING
  }

  departure(id: string): Identity {
    return this.#open('departure', id) ?? NOTHING
  }

  /** Null when it is no marker of a place. */
  marker(marker: string | null): Identity | null {
    return marker === null ? null : this.#open('marker', marker)
  }

  /** Null when it is no marker of a place in the order of posting. */
  posting(marker: string | null): Identity | null {
    return marker === null ? null : this.#open('posting', marker)
  }

  /** Its place; null when it is no marker of a failure of that subscription. */
  failure(marker: string | null, queue: QueueKey, subscription: string): number | null {
    const [incarnation, place] = (marker === null ? null : this.#open('failure', marker)) ?? NOTHING
    return incarnation === failuresOf(queue, subscription) ? place : null
  }

  /** Takes a marker, or the id of a message; null when it is neither. */
  position(marker: string | null): Position | null {
    if (marker === null) return null
    for (const kind of ['marker', 'posting', 'message'] as const) {
      const identity = this.#open(kind, marker)
      if (identity) return [...identity, kind]
    }
    return null
  }

  #seal(kind: SealedKind, [incarnation, number]: Identity): string {
    return this.#sealer.seal({ kind, incarnation, number, createdAt: 0 })
  }

  #open(kind: SealedKind, text: string): Identity | null {
    const opened = this.#sealer.open(kind, text)
    return opened && [opened.incarnation, opened.number]
  }
}

const NOTHING: Identity = [0, 0]
