import { Unreachable, ZaqarError } from './errors.ts'
import { EventReader, type StreamEvent } from './event-stream.ts'
import type { FollowTerms, ReceivedMessage, Step } from './follow.ts'
import { timeLimit, unlessAborted } from './pause.ts'

/** The service begins at once. What does not may be kept back on the way. */
const BEGIN_SECONDS = 10
/** The service says something every 15 seconds. */
const SILENCE_SECONDS = 40

/** Follows the event stream. Nothing is read before what came is taken, so that a slow reader slows the sender down. */
export async function* followEvents({ topic, marker, signal }: FollowTerms): AsyncGenerator<Step, void> {
  const { headers, body } = await topic.openEvents(marker, signal)
  if (body === null || !headers.get('content-type')?.startsWith('text/event-stream')) {
    await body?.cancel()
    throw new ZaqarError('unexpected_answer', 'The service has no event streams.')
  }
  const chunks = body.getReader()
  const reader = new EventReader()
  let last = marker
  let seconds = BEGIN_SECONDS
  try {
    for (;;) {
      const chunk = await within(seconds, signal, () => chunks.read())
      if (chunk.done) throw new Unreachable('unreachable', 'The event stream has ended.')
      for (const event of reader.read(chunk.value)) {
        if (event.id !== '') last = event.id
        if (last !== undefined) yield stepOf(event, last, topic.parse)
        seconds = SILENCE_SECONDS
      }
    }
  } finally {
    // Its connection may have failed already.
    chunks.cancel().catch(() => {})
  }
}

async function within<Value>(seconds: number, signal: AbortSignal, read: () => Promise<Value>): Promise<Value> {
  const limit = timeLimit(seconds, signal)
  try {
    return await unlessAborted(read(), limit.signal)
  } catch (cause) {
    signal.throwIfAborted()
    const how = limit.signal.aborted ? `Nothing has come for ${seconds} s.` : 'It broke.'
    throw new Unreachable('unreachable', `The event stream is lost. ${how}`, { cause })
  } finally {
    limit.end()
  }
}

function stepOf({ data }: StreamEvent, marker: string, parse: (json: string) => unknown): Step {
  if (data === null) return { id: null, marker }
  const { id, body, ttl } = parse(data) as ReceivedMessage
  return { id, body, ttl, marker }
}
