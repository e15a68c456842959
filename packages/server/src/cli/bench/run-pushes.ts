import { Zaqar, ZaqarError, type ZaqarOptions } from 'zaqar-client'
import { elapsed } from '../../platform/elapsed.ts'
import { pause } from '../../platform/pause.ts'
import { type Load, PAUSE_AFTER_ERROR_MS } from './run-workload.ts'
import { type Measured, Tally } from './tally.ts'
import { LIFE } from './workloads.ts'

/** A message that has not come to all by then is given up, in milliseconds. */
const PATIENCE_MS = 5_000

interface Numbered {
  readonly number: number
  readonly body: string
}

/**
 * Subscribes each client by a WebSocket of its own, and posts one message after the other, each when the one before has
 * come to all. A push is measured from the post on. Null: the service has no sockets at its address. @throws as
 * `runWorkload` does
 */
export async function runPushes(
  connection: ZaqarOptions,
  queueName: string,
  body: string,
  { clients, seconds, signal, turned }: Load,
): Promise<Measured[] | null> {
  const [post, push] = [new Tally('post'), new Tally('push')]
  const subscribers = Array.from({ length: clients }, () => new Zaqar(connection))
  const poster = new Zaqar(connection).queue(queueName)
  let number = 0
  let postedAt = 0
  let left = 0
  let arrived = () => {}
  const receive = (message: { readonly body: Numbered }) => {
    if (message.body.number !== number) return
    // The first waits until all are subscribed.
    if (number > 0) push.add(elapsed() - postedAt)
    left -= 1
    if (left === 0) arrived()
  }
  /** False: the post failed, or the message did not come to all. */
  const tellAll = async (): Promise<boolean> => {
    const all = new Promise<void>((resolve) => {
      arrived = resolve
    })
    left = clients
    postedAt = elapsed()
    const id = await post.time(() => poster.post({ number, body } satisfies Numbered, { ...LIFE, signal }))
    if (id === null) return false
    const patience = new AbortController()
    await Promise.race([all, pause(PATIENCE_MS, AbortSignal.any([signal, patience.signal]))])
    patience.abort()
    signal.throwIfAborted()
    return left === 0
  }
  try {
    try {
      await Promise.all(subscribers.map(({ socket }) => socket.connect()))
    } catch (error) {
      if (error instanceof ZaqarError) return null
      throw error
    }
    for (const one of subscribers) {
      const options = { from: 'start', transports: ['socket'], onError: () => {} } as const
      one.queue(queueName).subscribe<Numbered>(receive, options)
    }
    if (!(await tellAll())) return null
    const start = elapsed()
    while (elapsed() - start < seconds * 1000) {
      number += 1
      if (!(await tellAll())) {
        for (let missing = left; missing > 0; missing--) push.fail('not_pushed')
        await pause(PAUSE_AFTER_ERROR_MS, signal)
      }
      turned()
    }
    return [push.measured('push', (elapsed() - start) / 1000)]
  } finally {
    for (const one of subscribers) one.close()
  }
}
