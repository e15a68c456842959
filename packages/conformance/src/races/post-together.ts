import assert from 'node:assert/strict'
import type { Message, QueueHandle, Storage } from 'zaqar/storage'
import { fresh, idsOf, type Scene } from '../scene.ts'
import { allAtOnce } from './all-at-once.ts'

const producers = 12
const followers = 4
const postsOfEach = 15

/** Where a message belongs: the n-th POST of a producer, at an index of `size` messages. */
interface Origin {
  readonly producer: number
  readonly post: number
  readonly index: number
  readonly size: number
}

/**
 * Producers post while others follow the markers. Afterwards every message is there, POSTs are in one piece, each
 * producer's POSTs are in the order in which it made them, and every follower has met all messages in their order.
 */
export async function postTogether(scene: Scene, clients: readonly Storage[]): Promise<void> {
  const queue = await scene.queue()
  let producing = true
  const following = allAtOnce(followers, clients, (client) => follow(client, scene, queue, () => producing))
  const posted = await allAtOnce(producers, clients, (client, producer) => produce(client, scene, queue, producer))
  producing = false
  const met = await following

  const { messages } = await scene.list(queue, { limit: 100_000 })
  assert.deepEqual(idsOf(messages).toSorted(), posted.flat().toSorted(), 'nothing is lost and nothing is there twice')
  checkOrder(messages)
  for (const ids of met) assert.deepEqual(ids, idsOf(messages), 'No skip')
}

async function produce(client: Storage, scene: Scene, queue: QueueHandle, producer: number): Promise<string[]> {
  const ids: string[] = []
  for (let post = 0; post < postsOfEach; post += 1) {
    const size = 1 + ((producer + post) % 5)
    const messages = Array.from({ length: size }, (_, index) => {
      const origin: Origin = { producer, post, index, size }
      return { body: JSON.stringify(origin), ttlSeconds: 3600, delaySeconds: 0 }
    })
    const answer = fresh(
      await client.messages.append({ queue, clientId: `producer ${producer}`, messages, now: scene.now }),
    )
    assert(answer !== 'conflict')
    ids.push(...answer.ids)
  }
  return ids
}

/** Reads until the producers have stopped and nothing more comes. Answers the ids in the order met. */
async function follow(client: Storage, scene: Scene, queue: QueueHandle, mayBeMore: () => boolean): Promise<string[]> {
  const met: string[] = []
  let after: string | null = null
  for (;;) {
    const wasProducing = mayBeMore()
    const page: { messages: Message[]; marker: string | null } = fresh(
      await client.messages.list({
        queue,
        after,
        limit: 7,
        hideClientId: null,
        includeClaimed: false,
        includeDelayed: false,
        now: scene.now,
      }),
    )
    met.push(...idsOf(page.messages))
    after = page.marker ?? after
    if (page.marker === null && !wasProducing) return met
  }
}

function checkOrder(messages: readonly Message[]): void {
  const nextPost = new Map<number, number>()
  for (let position = 0; position < messages.length; ) {
    const { producer, post, size } = originOf(messages[position])
    assert.equal(post, nextPost.get(producer) ?? 0, `the POSTs of producer ${producer} are in order`)
    nextPost.set(producer, post + 1)
    const piece = messages.slice(position, position + size).map(originOf)
    const whole = Array.from({ length: size }, (_, index) => ({ producer, post, index, size }))
    assert.deepEqual(piece, whole, 'a POST is in one piece')
    position += size
  }
}

function originOf(message: Message | undefined): Origin {
  assert(message)
  return JSON.parse(message.body)
}
