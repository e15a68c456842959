import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import schemaOfDocuments from '@asyncapi/specs/schemas/3.0.0-without-$id.json' with { type: 'json' }
import { assertFits, type Schema } from '../openapi/document.ts'
import { fetchAsyncApi, withoutPointers } from './document.ts'

describe('the description of the socket', () => {
  it('is an AsyncAPI 3.0 document', async () => {
    assertFits(await fetchAsyncApi(), schemaOfDocuments, '/asyncapi.json')
  })

  it('points at nothing that it has not', async () => {
    const { operations } = withoutPointers(await fetchAsyncApi())
    for (const { channel, messages, reply } of Object.values(operations) as Schema[]) {
      assert.equal(channel.address, '/')
      for (const message of [...messages, ...(reply?.messages ?? [])])
        assert.ok(message.payload, JSON.stringify(message))
    }
  })

  it('has examples that are as it says', async () => {
    const { components } = withoutPointers(await fetchAsyncApi())
    for (const { name, payload, examples } of Object.values(components.messages)) {
      assert.ok(examples.length > 0, name)
      for (const example of examples) assertFits(example.payload, payload, `${name} ${example.name}`)
    }
  })

  it('tells an answer from a refusal', async () => {
    const { components, operations } = withoutPointers(await fetchAsyncApi())
    const { examples = [] } = components.messages['refusal'] ?? {}
    for (const { reply } of Object.values(operations) as Schema[]) {
      if (reply === undefined) continue
      const [answer, refusal] = reply.messages
      for (const { payload } of answer.examples) assert.throws(() => assertFits(payload, refusal.payload, ''))
      for (const { payload } of examples) assert.throws(() => assertFits(payload, answer.payload, ''))
    }
  })

  it('tells what is pushed, and why connections are closed', async () => {
    const { operations, channels } = await fetchAsyncApi()
    const sent = Object.entries(operations).filter(([, { action }]) => action === 'send')
    assert.deepEqual(
      sent.map(([name]) => name),
      ['notification', 'claim'],
    )
    assert.ok(operations['authenticate'])
    const codes = channels['socket']?.['x-close-codes'] as object
    assert.deepEqual(Object.keys(codes), ['1001', '1002', '1007', '1008', '1009', '1013', '4003'])
  })

  it('tells the limits that are configured', async () => {
    const { components } = withoutPointers(await fetchAsyncApi({ OS_TRANSPORT__MAX_QUEUES_PER_PAGE: '7' }))
    const list = components.messages['topic_list']?.payload as Schema
    assert.equal(list.properties.body.properties.limit.maximum, 7)
  })

  it('leaves out what operators have elsewhere or not at all', async () => {
    const { operations } = await fetchAsyncApi({ OS_DEFAULT__ADMIN_MODE: 'false' })
    assert.equal(operations['pool_list'], undefined)
    assert.equal(operations['check_node_health'], undefined)
    assert.notEqual(operations['topic_list'], undefined)
    assert.ok(!JSON.stringify(operations['get_home_doc']).includes('/pools'))
  })
})
