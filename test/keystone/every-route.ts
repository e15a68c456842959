import assert from 'node:assert/strict'
import { json } from '../../packages/server/test/support/answers.ts'
import type { TestClient } from '../../packages/server/test/support/test-client.ts'

/** What of a project can be named. */
export interface Ids {
  readonly free: string
  readonly claimed: string
  readonly claim: string
  readonly subscription: string
  readonly topicSubscription: string
}

interface Attempt {
  readonly method: string
  readonly path: string
  readonly body?: unknown
}

const queue = '/v2/queues/jobs'
const topic = '/v2/topics/news'

/** Fills a project with something of every kind; all of it holds the mark. */
export async function fill(client: TestClient, mark: string): Promise<Ids> {
  await client.put(queue, { mark })
  await client.put(topic, { mark })
  const post = async () => {
    const { resources } = json(await client.post(`${queue}/messages`, { messages: [{ ttl: 300, body: mark }] }))
    return last(resources[0])
  }
  const claimed = await post()
  const claim = last((await client.post(`${queue}/claims?limit=1`, { ttl: 300, grace: 60 })).headers['location'] ?? '')
  const free = await post()
  const subscribe = async (to: string) => {
    const answer = await client.post(`${to}/subscriptions`, { subscriber: `http://192.0.2.1/${mark}`, ttl: 600 })
    return json(answer).subscription_id as string
  }
  return { free, claimed, claim, subscription: await subscribe(queue), topicSubscription: await subscribe(topic) }
}

/** All of a project that can be read, as far as it does not change with time. */
export async function picture(client: TestClient, ids: Ids): Promise<unknown> {
  const read = async (path: string) => (await client.get(path)).text.replace(/"age": \d+/g, '')
  return [
    await read('/v2/queues?detailed=true&with_count=true'),
    await read('/v2/topics?detailed=true'),
    await read(`${queue}/messages?echo=true&include_claimed=true`),
    await read(`${queue}/messages/${ids.free}`),
    await read(`${queue}/claims/${ids.claim}`),
    await read(`${queue}/stats`),
    await read(`${queue}/subscriptions`),
    await read(`${topic}/subscriptions`),
  ]
}

/** Everything that could be tried with these ids, reading before writing before deleting. */
export function everyRouteOf(ids: Ids): Attempt[] {
  const { free, claimed, claim, subscription, topicSubscription } = ids
  const both = `${free},${claimed}`
  const reads = [
    ...['/v2/queues?detailed=true', '/v2/topics?detailed=true', '/v1/queues', '/v1.1/queues', queue, topic],
    ...[queue, '/v1/queues/jobs', '/v1.1/queues/jobs'].flatMap((place) => [
      `${place}/messages?ids=${both}`,
      `${place}/messages?marker=${free}`,
      `${place}/messages?echo=true&include_claimed=true`,
      `${place}/messages/${free}`,
      `${place}/messages/${claimed}`,
      `${place}/claims/${claim}`,
      `${place}/stats`,
    ]),
    `${queue}/subscriptions`,
    `${queue}/subscriptions?marker=${subscription}`,
    `${queue}/subscriptions/${subscription}`,
    `${topic}/subscriptions/${topicSubscription}`,
    `${queue}/subscriptions/${topicSubscription}`,
    `${topic}/stats`,
    '/v2/pools',
    '/v2/flavors',
    '/v2/health',
  ]
  const patch = { ttl: 300, grace: 300 }
  return [
    ...reads.map((path) => ({ method: 'GET', path })),
    { method: 'PATCH', path: `${queue}/claims/${claim}`, body: patch },
    { method: 'PATCH', path: `/v1/queues/jobs/claims/${claim}`, body: patch },
    { method: 'PATCH', path: `${queue}/subscriptions/${subscription}`, body: { ttl: 60 } },
    { method: 'PUT', path: `${queue}/subscriptions/${subscription}/confirm`, body: { confirmed: true } },
    { method: 'POST', path: `${queue}/redrive`, body: { ids: [free, claimed] } },
    { method: 'DELETE', path: `${queue}/messages/${free}` },
    { method: 'DELETE', path: `${queue}/messages/${claimed}?claim_id=${claim}` },
    { method: 'DELETE', path: `/v1.1/queues/jobs/messages/${claimed}?claim_id=${claim}` },
    { method: 'DELETE', path: `${queue}/messages?ids=${both}` },
    { method: 'DELETE', path: `${queue}/messages?ids=${both}&claim_ids=${claim}` },
    { method: 'DELETE', path: `${queue}/claims/${claim}` },
    { method: 'DELETE', path: `${queue}/subscriptions/${subscription}` },
    { method: 'DELETE', path: `${topic}/subscriptions/${topicSubscription}` },
    { method: 'DELETE', path: `${queue}/messages?pop=20` },
    { method: 'POST', path: `${queue}/claims?limit=20`, body: {} },
    { method: 'POST', path: `${queue}/purge`, body: { resource_types: ['messages', 'subscriptions'] } },
    { method: 'POST', path: `${topic}/purge` },
    { method: 'DELETE', path: queue },
    { method: 'DELETE', path: topic },
  ]
}

function last(path: string): string {
  const id = path.slice(path.lastIndexOf('/') + 1)
  assert.notEqual(id, '')
  return id
}
