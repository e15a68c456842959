/** What a service has of topics: OpenStack's has less of them than of queues. (contract http.md 3.10) */
import { NotFound, Unavailable, ZaqarError } from 'zaqar-client/http'
import { nobody, type Side } from './side.ts'

/** `bare`: topics have metadata, but neither messages nor subscriptions. */
export type TopicSupport = 'whole' | 'bare' | 'none'

/** @throws ZaqarError, or the reason of the signal */
export async function topicSupportOf(side: Side, signal: AbortSignal): Promise<TopicSupport> {
  try {
    await side.at(nobody('topic')).list({ limit: 1, signal })
    return 'whole'
  } catch (error) {
    if (error instanceof NotFound) return 'none'
    if (!(error instanceof ZaqarError) || error.status !== 500) throw error
  }
  // It is OpenStack's: on MongoDB it lists topics, and on Redis it cannot be asked for them at any time.
  try {
    for await (const _ of side.once.topics({ limit: 1, signal })) break
    return 'bare'
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error
    await side.meet(signal)
    return 'none'
  }
}
