import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { AsyncApi } from '../../src/wire/asyncapi/types.ts'
import { CLAIM, SUBSCRIPTION } from '../../src/wire/v2/example-ids.ts'
import { assertFits, type Schema } from '../openapi/document.ts'
import { type Ids, learn, withIds } from '../openapi/example-ids.ts'
import { openInProcess } from '../support/in-process.ts'
import { SessionClient } from '../support/session-client.ts'
import { fetchAsyncApi, withoutPointers } from './document.ts'

/** The examples of an action; or another request, with what is learnt from its answer. */
type Step = string | { readonly action: string; readonly body: object; readonly answer?: object }

/** The order in which the examples make sense. */
const onQueues: readonly Step[] = [
  'queue_create',
  'queue_list',
  'queue_get',
  'message_post',
  'message_list',
  'message_get',
  'message_get_many',
  'queue_get_stats',
  { action: 'claim_create', body: { queue_name: 'jobs', limit: 2 }, answer: { claim_id: CLAIM } },
  'message_post',
  'claim_create',
  'claim_list',
  'claim_get',
  'claim_update',
  'message_delete',
  'claim_delete',
  'message_delete_many',
  'queue_purge',
  'queue_delete',
]
const onSubscriptions: readonly Step[] = [
  {
    action: 'subscription_create',
    body: { queue_name: 'jobs', subscriber: 'https://example.org/other' },
    answer: { subscription_id: SUBSCRIPTION },
  },
  'subscription_create',
  'subscription_list',
  'subscription_get',
  'subscription_update',
  'subscription_confirm',
  'subscription_failures',
  'subscription_replay',
  'subscription_deliveries',
  'subscription_secret_create',
  'subscription_secret_delete',
  'subscription_delete',
]
const onTheRest: readonly Step[] = [
  { action: 'queue_create', body: { queue_name: 'jobs', metadata: { team: 'billing' } } },
  'queue_update',
  'queue_share',
  'message_redrive',
]
const onTopics: readonly Step[] = [
  'topic_create',
  'topic_list',
  'topic_get',
  'topic_update',
  'topic_get_stats',
  'topic_purge',
  'topic_delete',
]
const onTheService: readonly Step[] = [
  'pool_create',
  'pool_update',
  'pool_get',
  'pool_list',
  'pool_drain',
  'pool_drain_get',
  'pool_drain_cancel',
  'pool_rebalance',
  'pool_rebalance_get',
  'pool_rebalance_cancel',
  'flavor_create',
  'flavor_get',
  'flavor_list',
  'flavor_update',
  'flavor_delete',
  'pool_delete',
  'permission_list',
  'ping_node',
  'check_node_health',
  'get_home_doc',
]
const scenarios = [onQueues, onSubscriptions, onTheRest, onTopics, onTheService]

/** A service and a client of it. */
async function openClient() {
  const service = await openInProcess({ OS_SIGNED_URL__SECRET_KEY: 'a secret', OS_DEFAULT__POOLING: 'true' })
  return {
    client: new SessionClient(service.openSession, 'test'),
    async close() {
      await service.close()
      assert.deepEqual(service.troubles, [])
    },
  }
}

describe('every example of the description of the socket works', async () => {
  const document = withoutPointers(await fetchAsyncApi())

  it('and every action has one, in an order that makes sense', () => {
    const told = new Set(scenarios.flat())
    const asked = Object.entries(document.operations).filter(
      ([name, { action }]) => action === 'receive' && name !== 'authenticate',
    )
    assert.deepEqual(
      asked.map(([name]) => name).filter((name) => !told.has(name)),
      [],
    )
  })

  for (const steps of scenarios) {
    it(`up to ${steps.at(-1)}`, async () => {
      const { client, close } = await openClient()
      const ids: Ids = new Map()
      for (const step of steps) {
        if (typeof step === 'string') await sendExamples(client, step, document, ids)
        else learn(step.answer, (await client.ask(step.action, step.body)).body, ids)
      }
      await close()
    })
  }

  it('who says who calls, where nobody is asked', async () => {
    const { client, close } = await openClient()
    await sendExamples(client, 'authenticate', document, new Map())
    await close()
  })

  for (const [what, extra] of [
    ['notification', {}],
    ['notification', { options: { _with_ids: true } }],
    ['claim', { mode: 'claim' }],
  ] as const) {
    it(`and a push is as it says: ${what} ${JSON.stringify(extra)}`, async () => {
      const { client, close } = await openClient()
      await client.ask('subscription_create', { queue_name: 'jobs', ...extra })
      await client.ask('message_post', { queue_name: 'jobs', messages: [{ body: { event: 'started' } }] })
      const [pushed] = await client.pushes(1)
      const { payload } = document.components.messages[what] as Schema
      assertFits(pushed, payload, what)
      client.leave()
      await close()
    })
  }
})

/** Sends the examples of an action with the ids of today, and holds the answers against what is said of them. */
async function sendExamples(client: SessionClient, action: string, { components }: AsyncApi, ids: Ids): Promise<void> {
  const { payload: requestSchema, examples } = components.messages[action] as Schema
  const { payload: answerSchema, examples: answers } = components.messages[`${action}.answer`] as Schema
  for (const [index, { payload }] of examples.entries()) {
    const request = withIds(payload, ids)
    const what = JSON.stringify(request)
    assertFits(request, requestSchema, what)
    const { status, body, frame } = await client.ask(action, request.body, { headers: request.headers })
    const expected = answers[index].payload
    assert.equal(status, expected.headers.status, `${what}: ${JSON.stringify(body)}`)
    assertFits(frame, answerSchema, what)
    learn(expected.body, body, ids)
  }
}
