import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Example, OpenApi } from '../../src/wire/openapi/document.ts'
import * as exampleIds from '../../src/wire/openapi/v2/example-ids.ts'
import { type InProcessService, openInProcess } from '../support/in-process.ts'
import { TestClient } from '../support/test-client.ts'
import { assertDocumented, assertFits, fetchDocument, operationsOf, type PlacedOperation } from './document.ts'

/** The order in which the examples make sense; `queues.create create` is one example, `queues.get` all of an operation. */
const onQueues = [
  'queues.create',
  'queues.list',
  'queues.get',
  'messages.post',
  'messages.list',
  'messages.get',
  'queues.stats',
  'claims.create claim',
  'claims.get',
  'claims.renew',
  'messages.delete',
  'claims.release',
  'claims.create nothing-to-claim',
  'messages.redrive',
  'messages.delete_many pop',
  'messages.delete_many by-ids',
  'queues.purge',
  'subscriptions.create',
  'subscriptions.list',
  'subscriptions.get',
  'subscriptions.update',
  'subscriptions.confirm',
  'subscriptions.delete',
  'queues.share',
  'queues.update',
  'queues.delete',
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
  'topics.subscriptions.delete',
  'topics.update',
  'topics.delete',
]
const onTheService = [
  'pools.put',
  'pools.update',
  'pools.get',
  'pools.list',
  'flavors.put',
  'flavors.get',
  'flavors.list',
  'flavors.update',
  'flavors.delete',
  'pools.delete',
  'ping.get',
  'ping.answer',
  'service.health',
  'service.versions',
  'service.home',
  'service.openapi',
  'service.docs',
]
const scenarios = [onQueues, onTopics, onTheService]

describe('every documented example works', () => {
  let service: InProcessService
  let document: OpenApi

  before(async () => {
    service = await openInProcess()
    document = await fetchDocument(service.send)
  })
  after(async () => {
    await service.close()
    assert.deepEqual(service.troubles, [])
  })

  it('and every operation has one, in an order that makes sense', () => {
    const told = new Set(scenarios.flat().map((step) => step.split(' ')[0]))
    const operations = operationsOf(document).map(({ operation }) => operation)
    assert.deepEqual(operations.map(({ operationId }) => operationId).sort(), [...told].sort())
    for (const { operationId, 'x-examples': examples } of operations) assert.ok(examples.length > 0, operationId)
  })

  for (const steps of scenarios) {
    it(`from ${steps[0]} to ${steps.at(-1)}`, async () => {
      const ids = new Map<string, string>()
      for (const step of steps) {
        const [operationId, name] = step.split(' ')
        const placed = operationsOf(document).find(({ operation }) => operation.operationId === operationId)
        assert.ok(placed, step)
        const examples = placed.operation['x-examples'].filter((example) => name === undefined || example.name === name)
        for (const example of examples) await send(example, placed, ids, step)
      }
    })
  }

  /** Sends an example with the ids of today and compares the answer, from which it learns further ids. */
  async function send(example: Example, placed: PlacedOperation, ids: Map<string, string>, step: string) {
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
    const found = JSON.parse(answer.text)
    learn(example.answer.body, found, ids)
    assert.deepEqual(found, withIds(example.answer.body, ids), step)
  }
})

// biome-ignore lint/suspicious/noExplicitAny: a schema may be anything.
function requestSchema({ operation }: PlacedOperation): any {
  const contents = Object.values((operation.requestBody?.['content'] ?? {}) as Record<string, { schema: unknown }>)
  return contents[0]?.schema
}

function withIds<T>(value: T, ids: ReadonlyMap<string, string>): T {
  const text = [...ids].reduce((text, [shown, real]) => text.replaceAll(shown, real), JSON.stringify(value))
  return JSON.parse(text) as T
}

/** Where an example has an id that was not met before, the answer has the real one. */
function learn(shown: unknown, found: unknown, ids: Map<string, string>): void {
  if (typeof shown === 'string' && typeof found === 'string') learnFromText(shown, found, ids)
  if (typeof shown !== 'object' || shown === null || typeof found !== 'object' || found === null) return
  for (const [key, value] of Object.entries(shown)) learn(value, (found as Record<string, unknown>)[key], ids)
}

function learnFromText(shown: string, found: string, ids: Map<string, string>): void {
  const known: readonly string[] = Object.values(exampleIds)
  const inside = known.filter((id) => shown.includes(id)).sort((a, b) => shown.indexOf(a) - shown.indexOf(b))
  const pattern = inside.reduce((text, id) => text.replace(id, '([\\w-]+)'), shown.replace(/[?.+]/g, '\\$&'))
  const real = new RegExp(`^${pattern}$`).exec(found)
  if (real === null) return
  for (const [index, id] of inside.entries()) if (!ids.has(id)) ids.set(id, real[index + 1] as string)
}
