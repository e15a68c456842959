/** Reads listings of messages, upstream's too, as they are. */
import type { Message, Topic } from 'zaqar-client/http'
import type { Json } from '../../model/model.ts'
import type { PageLimit } from './page-limit.ts'

const EVERYTHING = { includeClaimed: true, includeDelayed: true }

export interface MessagePage {
  readonly messages: readonly Message<Json>[]
  /** Behind which it was asked for; undefined: it is the first. */
  readonly behind: string | undefined
}

interface Reading {
  readonly limit: PageLimit
  readonly signal: AbortSignal
}

/**
 * All messages of a queue in its order: claimed and delayed ones too. A message may come twice, and then all behind it: Redis
 * begins anew where the message of a marker has gone.
 */
export async function* messagePages(queue: Topic, { limit, signal }: Reading): AsyncGenerator<MessagePage, void> {
  let behind: string | undefined
  for (;;) {
    const { messages, marker } = await limit.ask((limit) =>
      queue.list<Json>({ ...EVERYTHING, marker: behind, limit, signal }),
    )
    if (messages.length === 0 || marker === undefined) return
    yield { messages, behind }
    behind = marker
  }
}

export async function isEmpty(queue: Topic, signal: AbortSignal): Promise<boolean> {
  const { messages } = await queue.list({ ...EVERYTHING, limit: 1, signal })
  return messages.length === 0
}

/** Ids of those of a page that are delayed. */
export async function delayedIn(
  { messages, behind }: MessagePage,
  queue: Topic,
  { limit, signal }: Reading,
): Promise<ReadonlySet<string>> {
  const { messages: visible } = await limit.ask((limit) =>
    queue.list({ marker: behind, limit, includeClaimed: true, includeDelayed: false, signal }),
  )
  const delayed = new Set(messages.map(({ id }) => id))
  for (const { id } of visible) delayed.delete(id)
  return delayed
}
