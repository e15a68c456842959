import { BEGINNING, type FollowTerms, type Step } from './follow.ts'
import { pause } from './pause.ts'
import type { Page, Topic } from './topic.ts'

/** Seconds that one request waits. */
const LONG_POLL = 20
/** Between two looks where the service does not wait, as upstream's, in milliseconds. */
const POLL_MS = 1_000

/**
 * Follows the listing by long polls. Upstream's service does not wait, and tells the marker of the last message of a page
 * only: those before it have the one before the page, from which they would come again.
 */
export async function* followListing({ topic, marker, signal }: FollowTerms): AsyncGenerator<Step, void> {
  let after = marker ?? (await endOf(topic, signal))
  for (;;) {
    const start = Date.now()
    const page = await list(topic, after, signal, LONG_POLL)
    yield* stepsIn(page, after)
    if (page.messages.length === 0 && Date.now() - start < POLL_MS) await pause(POLL_MS, signal)
    after = page.marker ?? after
  }
}

function* stepsIn({ messages, marker: end = BEGINNING }: Page, before: string): Generator<Step> {
  for (const [i, { id, body, ttl, marker = before }] of messages.entries()) {
    yield { id, body, ttl, marker: i === messages.length - 1 ? end : marker }
  }
  if (messages.length === 0) yield { id: null, marker: before }
}

/** Behind all that is there: from the newest message on, where its id says its place, else page by page. */
async function endOf(topic: Topic, signal: AbortSignal): Promise<string> {
  let end = BEGINNING
  const first = await list(topic, end, signal)
  if (first.messages[0]?.marker !== undefined) {
    const { newest } = await topic.stats({ signal })
    end = newest?.href.split('/').at(-1) ?? end
  }
  for (;;) {
    const { messages, marker = end } = await list(topic, end, signal)
    if (messages.length === 0) return end
    end = marker
  }
}

function list(topic: Topic, marker: string, signal: AbortSignal, wait?: number): Promise<Page> {
  // As the other ways show them: claimed ones too.
  const all = { echo: true, includeClaimed: true, withMarkers: true }
  return topic.list({ ...all, marker, signal, ...(wait !== undefined && { wait }) })
}
