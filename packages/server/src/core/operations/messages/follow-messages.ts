import { defineOperation } from '../../execute.ts'
import { followedPages, type PageStream } from '../../followed-pages.ts'

export interface FollowMessagesInput {
  readonly queue: string
  /** A marker or the id of a message; what is neither stands for the beginning. Undefined: from now on. */
  readonly marker?: string | undefined
  /** Show what the caller posts too. */
  readonly echo: boolean
  readonly includeClaimed: boolean
  /** By order of posting, and so without waiting for the end of delays. */
  readonly includeDelayed: boolean
}

export interface FollowedMessages {
  /** Where it begins, unless the caller said so. */
  readonly marker: string | null
  /** Each message has its `marker`. */
  readonly pages: PageStream
}

/** Messages of a page. A stream that is read slowly holds one, and one that is being sent. */
const PAGE = 20

/** Is no marker of any queue. */
const BEGINNING = '0'

/**
 * What a listing shows, and then what comes, until the client goes or the credentials of the caller end. A missing queue
 * is followed until it comes.
 */
export const followMessages = defineOperation({
  name: 'messages.follow',
  permission: 'messages:get_all',
  failure: 'Messages could not be listed',
  async run(input: FollowMessagesInput, ctx): Promise<FollowedMessages> {
    const { caller, now, storage, queues } = ctx
    const { queue, echo, includeClaimed, includeDelayed } = input
    const key = ctx.key(queue)
    const { marker = null } = input
    const end = async () => (await queues.use(key, now, (queue) => storage.messages.end({ queue, now }))) ?? BEGINNING
    const after = marker ?? (await end())
    const listing = {
      key,
      after,
      limit: PAGE,
      hideClientId: echo ? null : caller.clientId,
      includeClaimed,
      includeDelayed: includeDelayed ? ('always' as const) : ('never' as const),
      withMarkers: true,
    }
    return { marker: marker === null ? after : null, pages: followedPages(listing, ctx) }
  },
})
