import assert from 'node:assert/strict'
import type { Storage } from 'zaqar/storage'
import { STALE } from 'zaqar/storage'
import { fresh, type Scene } from '../scene.ts'
import { allAtOnce } from './all-at-once.ts'

const callers = 12

/** Of many who create, change or repeat the same thing at once, exactly one does it and the others hear about it. */
export async function createTogether({ now, storage }: Scene, clients: readonly Storage[]): Promise<void> {
  const key = { project: 'alpha', kind: 'queue', name: 'jobs' } as const

  const creations = await allAtOnce(callers, clients, (client) => client.queues.create({ key, metadata: '{}', now }))
  assert.equal(creations.filter(({ created }) => created).length, 1, 'one creates the queue')
  assert.equal(new Set(creations.map(({ queue }) => queue.version)).size, 1, 'and all see the same one')
  const queue = creations[0]?.queue
  assert(queue)

  const messages = [{ body: '"once"', ttlSeconds: 3600, delaySeconds: 0 }]
  const idempotency = { key: 'key', digest: 'digest', expiresAt: now + 300_000 }
  const posts = await allAtOnce(callers, clients, (client) =>
    client.messages.append({ queue, clientId: 'poster', messages, idempotency, now }),
  )
  for (const post of posts) assert.deepEqual(post, posts[0], 'a repeated POST has one answer')
  assert.equal(fresh(await storage.queues.stats({ queue, now })).free, 1, 'and is stored once')

  const claimTerms = { queue, key: 'key', limit: 1, ttlSeconds: 60, graceSeconds: 60, deadLetter: null, now }
  const claims = await allAtOnce(callers, clients, (client) => client.claims.create(claimTerms))
  const exchanges = await allAtOnce(callers, clients, (client) =>
    client.claims.exchange({ ...claimTerms, finished: [] }),
  )
  const [claim] = claims
  assert.deepEqual(
    fresh(claim)?.messages.map(({ claimCount }) => claimCount),
    [1],
    'a repeated claim is made once',
  )
  for (const answer of claims) assert.deepEqual(answer, claim, 'and has one answer')
  for (const answer of exchanges) assert.deepEqual(answer, { claim, gone: [] }, 'also where it finishes something')

  const terms = {
    queue,
    subscriber: 'http://one.example/',
    ttlSeconds: 60,
    options: '{}',
    isListening: true,
    vault: null,
    now,
  }
  const subscriptions = await allAtOnce(callers, clients, (client, caller) =>
    client.subscriptions.create({ ...terms, id: `s${caller}` }),
  )
  assert.equal(subscriptions.filter((answer) => fresh(answer).created).length, 1, 'a subscriber subscribes once')
  assert.equal(new Set(subscriptions.map((answer) => fresh(answer).subscription.id)).size, 1, 'and all are told which')

  const updates = await allAtOnce(callers, clients, (client, caller) =>
    client.queues.update({ queue, metadata: `{"caller": ${caller}}`, now }),
  )
  const [updated, ...others] = updates.filter((answer) => answer !== STALE)
  assert.deepEqual(others, [], 'of updates of one version one succeeds')
  assert.deepEqual(await storage.queues.get({ key, now }), updated)
}

/** Callers want the same address for pools of their own. */
export async function putPoolsTogether(_scene: Scene, clients: readonly Storage[]): Promise<void> {
  const pools = await allAtOnce(callers, clients, (client, caller) =>
    client.pools.putPool({
      project: 'alpha',
      pool: { name: `pool-${caller}`, uri: 'redis://shared', weight: 1, options: '{}', flavor: null },
    }),
  )
  assert.equal(pools.filter((answer) => answer === 'stored').length, 1, 'a URI belongs to one pool')
}
