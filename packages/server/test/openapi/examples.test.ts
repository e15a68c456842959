import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { Clock } from '../../src/platform/clock.ts'
import { openSqlite } from '../../src/storage/sqlite/open-sqlite.ts'
import type { Example } from '../../src/wire/openapi/types.ts'
import { type InProcessService, openInProcess } from '../support/in-process.ts'
import { TestClient } from '../support/test-client.ts'
import {
  assertDocumented,
  assertFits,
  fetchDocument,
  operationsOf,
  type PlacedOperation,
  versionAndName,
} from './document.ts'
import { type Ids, learn, withIds } from './example-ids.ts'

/**
 * The order in which the examples make sense; `queues.create create` is one example, `queues.get` all of an operation.
 * What a version does not have it leaves out.
 */
const onQueues = [
  'queues.create',
  'queues.exists',
  'queues.exists.head',
  'queues.replace_metadata',
  'queues.list',
  'queues.get',
  'messages.post',
  'messages.list',
  'messages.get',
  'queues.stats',
  'claims.create claim',
  'claims.list',
  'claims.get',
  'claims.renew',
  'claims.create finish-and-take',
  'messages.delete',
  'claims.release',
  'queues.delete',
]
const onDeadLetters = [
  'queues.create',
  'messages.post',
  'claims.create claim',
  'messages.delete',
  'claims.release',
  'claims.create nothing-to-claim',
  'messages.redrive',
]
const onQueuesWithoutClaims = [
  'queues.create',
  'claims.create nothing-to-claim',
  'messages.post',
  'messages.delete_many',
  'queues.purge',
  'subscriptions.create',
  'subscriptions.list',
  'subscriptions.get',
  'subscriptions.update',
  'subscriptions.confirm',
  'subscriptions.failures',
  'subscriptions.replay',
  'subscriptions.deliveries',
  'subscriptions.make_secret',
  'subscriptions.delete_secret',
  'subscriptions.delete',
  'queues.share',
  'queues.update',
]
const onTopics = [
  'topics.create',
  'topics.list',
  'topics.get',
  'topics.messages.post',
  'topics.messages.list',
  'topics.messages.get',
  'topics.stats',
  'topics.messages.delete_many',
  'topics.messages.delete',
  'topics.purge',
  'topics.subscriptions.create',
  'topics.subscriptions.list',
  'topics.subscriptions.get',
  'topics.subscriptions.update',
  'topics.subscriptions.confirm',
  'topics.subscriptions.failures',
  'topics.subscriptions.replay',
  'topics.subscriptions.deliveries',
  'topics.subscriptions.make_secret',
  'topics.subscriptions.delete_secret',
  'topics.subscriptions.delete',
  'topics.update',
  'topics.delete',
]
const onTheService = [
  'pools.put',
  'pools.update',
  'pools.get',
  'pools.list',
  'pools.drain',
  'pools.get_drain',
  'pools.cancel_drain',
  'pools.rebalance',
  'pools.get_rebalance',
  'pools.cancel_rebalance',
  'flavors.put',
  'flavors.get',
  'flavors.list',
  'flavors.update',
  'flavors.delete',
  'pools.delete',
  'ping.get',
  'ping.get.head',
  'ping.answer.head',
  'service.permissions',
  'service.health',
  'service.versions',
  'service.home',
  'service.openapi',
  'service.asyncapi',
  'service.docs',
  'service.confirmation_page',
]
const scenarios = [onQueues, onDeadLetters, onQueuesWithoutClaims, onTopics, onTheService]

const versions = Map.groupBy(await documentedOperations(), ({ operation }) => versionAndName(operation.operationId)[0])

for (const [version, operations] of versions) {
  describe(`every documented example of ${version || 'what belongs to no version'} works`, () => {
    const named = (name: string | undefined) =>
      operations.find(({ operation }) => versionAndName(operation.operationId)[1] === name)

    it('and every operation has one, in an order that makes sense', () => {
      const told = new Set(scenarios.flat().map((step) => step.split(' ')[0]))
      for (const { operation } of operations) {
        assert.ok(told.has(versionAndName(operation.operationId)[1]), operation.operationId)
        assert.ok(operation['x-examples'].length > 0, operation.operationId)
      }
    })

    for (const steps of scenarios) {
      const known = steps.filter((step) => named(step.split(' ')[0]))
      // Dead letters are not of interest where they stay.
      if (known.length === 0 || (steps === onDeadLetters && known.length < steps.length)) continue
      it(`from ${known[0]} to ${known.at(-1)}`, async () => {
        // The examples are of a store that keeps what it is given.
        const folder = mkdtempSync(join(tmpdir(), 'zaqar-examples-'))
        const openStorage = (clock: Clock) => openSqlite({ path: join(folder, 'store.db'), clock })
        const service = await openInProcess({ OS_DEFAULT__POOLING: 'true' }, { openStorage })
        const ids: Ids = new Map()
        for (const step of known) {
          const [name, example] = step.split(' ')
          const placed = named(name) as PlacedOperation
          const examples = placed.operation['x-examples']
          for (const one of examples.filter((one) => example === undefined || one.name === example)) {
            await send(service, one, placed, ids)
          }
        }
        await service.close()
        rmSync(folder, { recursive: true })
        assert.deepEqual(service.troubles, [])
      })
    }
  })
}

async function documentedOperations(): Promise<PlacedOperation[]> {
  const service = await openInProcess()
  const document = await fetchDocument(service.send)
  await service.close()
  return operationsOf(document)
}

/** Sends an example with the ids of today and compares the answer, from which it learns further ids. */
async function send(service: InProcessService, example: Example, placed: PlacedOperation, ids: Ids) {
  const step = `${placed.operation.operationId} ${example.name}`
  const { method, path, headers = {}, body } = withIds(example.request, ids)
  const schema = requestSchema(placed)
  if (schema !== undefined && body !== undefined) assertFits(body, schema, step)
  const answer = await new TestClient(service.send).send(method, path, body, { headers })
  assertDocumented(placed, answer, step)
  assert.equal(answer.status, example.answer.status, `${step}: ${answer.text}`)
  for (const [header, value] of Object.entries(example.answer.headers ?? {})) {
    learn(value, answer.headers[header.toLowerCase()] as string, ids)
    assert.equal(answer.headers[header.toLowerCase()], withIds(value, ids), step)
  }
  if (example.answer.body === undefined) return
  const found = typeof example.answer.body === 'string' ? answer.text : JSON.parse(answer.text)
  learn(example.answer.body, found, ids)
  assert.deepEqual(found, withIds(example.answer.body, ids), step)
}

// biome-ignore lint/suspicious/noExplicitAny: a schema may be anything.
function requestSchema({ operation }: PlacedOperation): any {
  const contents = Object.values((operation.requestBody?.['content'] ?? {}) as Record<string, { schema: unknown }>)
  return contents[0]?.schema
}
