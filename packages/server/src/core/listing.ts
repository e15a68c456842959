import type { Instant, Message, QueueKey } from '../model/model.ts'
import { STALE, type Storage } from '../storage/contract.ts'
import type { QueueDirectory } from './queue-directory.ts'

/** What is wanted of the messages of a queue, and from where on. */
export interface Listing {
  readonly key: QueueKey
  /** A marker or the id of a message; null: from the beginning. */
  readonly after: string | null
  /** Messages of a page, at the most. */
  readonly limit: number
  /** What this client posted is left out. */
  readonly hideClientId: string | null
  readonly includeClaimed: boolean
  /** `when-queue-delays-none`: a queue without a delay of its own hides none, though some may still be delayed. */
  readonly includeDelayed: 'always' | 'when-queue-delays-none' | 'never'
  /** Show what was removed while it was kept (`Storage.keepGone`), too; not when it does not say. */
  readonly includeGone?: boolean | undefined
  /** Each message has its `marker`; none has when it does not say. */
  readonly withMarkers?: boolean | undefined
}

export interface Page {
  /** When it was read. */
  readonly now: Instant
  /** Whether delayed messages were included. (contract http.md 3.7.3) */
  readonly includeDelayed: boolean
  readonly messages: readonly Message[]
  /** Where the next page begins; null: this one is empty. */
  readonly marker: string | null
  /** With `includeGone`: something that was removed behind `after` cannot be shown any more. */
  readonly missed?: true
}

/** Reads the first page of a listing. A missing queue has an empty one. */
export type ReadPage = (listing: Listing, now: Instant) => Promise<Page>

export function createReadPage({ messages }: Pick<Storage, 'messages'>, queues: QueueDirectory): ReadPage {
  return async (listing, now) => {
    const { key, after, limit, hideClientId, includeClaimed, includeGone, withMarkers } = listing
    const page = await queues.use(key, now, async (queue) => {
      const delaysNone = queue.settings.defaultMessageDelaySeconds === 0
      const includeDelayed =
        listing.includeDelayed === 'when-queue-delays-none' ? delaysNone : listing.includeDelayed === 'always'
      const shown = { hideClientId, includeClaimed, includeDelayed, includeGone, withMarkers }
      const read = await messages.list({ queue, after, limit, ...shown, now })
      return read === STALE ? STALE : { now, includeDelayed, ...read }
    })
    return page ?? emptyPage(listing, now)
  }
}

export function emptyPage({ includeDelayed }: Listing, now: Instant): Page {
  return { now, includeDelayed: includeDelayed === 'always', messages: [], marker: null }
}
