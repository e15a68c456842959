import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { json } from '../support/answers.ts'
import { freshService } from '../support/fresh-service.ts'

const MESSAGES = '/v2/queues/q/messages'

/** As the contract says it, in one expression. */
function expected(text: string): string {
  const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
  return `MD5:${createHash('md5')
    .update(text.replace(/[\u007f-\uffff]/g, escaped))
    .digest('hex')}`
}

describe('checksums, where they are shown', () => {
  const service = freshService({ OS_DEFAULT__ENABLE_CHECKSUM: 'true' })

  test('are of the JSON text with everything beyond ASCII escaped', async () => {
    const texts = [
      '"str"',
      '{"b": 1}',
      '"\u007e\u007f\u0080\u07ff\u0800\uffff"',
      '"\u{1f600}"',
      '"\\ud800\\n\\\\"',
      '[1.0, "a\u00e9"]',
      '"DEL \u007f alone"',
      `"${'x'.repeat(16_383)}\u6f22\u{1f600}${'\u6f22'.repeat(40_000)}"`,
    ]
    await service.post('q', ...texts.map((text) => ({ body: JSON.parse(text) })))
    await service.client.post(MESSAGES, '{"messages": [{"body": [1.0, "a\u00e9"]}]}')
    const { messages } = json(await service.client.get(`${MESSAGES}?echo=true&limit=20`))
    // JSON.parse has made a 1 of the 1.0.
    const sums = texts.map((text) => expected(text.replace('1.0', '1')))
    assert.deepEqual(
      messages.map(({ checksum }: { checksum: string }) => checksum),
      [...sums, expected('[1.0, "a\u00e9"]')],
    )
  })

  test('end the documents of every answer that shows messages; a null body has none', async () => {
    const [id] = await service.post('q', { body: 'text' }, { body: null })
    const claim = json(await service.client.post('/v2/queues/q/claims', {}))
    const [one] = claim.messages
    const [, claimId] = one.href.split('claim_id=')
    const pages = [
      json(await service.client.get(`${MESSAGES}?ids=${id}`)).messages,
      [json(await service.client.get(`${MESSAGES}/${id}`))],
      claim.messages,
      json(await service.client.get(`/v2/queues/q/claims/${claimId}`)).messages,
    ]
    await service.client.delete(`/v2/queues/q/claims/${claimId}`)
    pages.push(json(await service.client.delete(`${MESSAGES}?pop=2`)).messages)
    for (const [first, second] of pages) {
      assert.equal(Object.keys(first).at(-1), 'checksum')
      assert.equal(first.checksum, expected('"text"'))
      if (second !== undefined) assert.ok(!Object.hasOwn(second, 'checksum'))
    }
  })

  test('of a page of long bodies are made in slices, with others in between', async () => {
    for (let i = 0; i < 20; i++) await service.post('q', { body: '\u6f22'.repeat(87_000) })
    let turns = 0
    let counting = true
    const count = () => {
      turns += 1
      if (counting) setImmediate(count)
    }
    setImmediate(count)
    const { messages } = json(await service.client.get(`${MESSAGES}?echo=true&limit=20`))
    counting = false
    assert.equal(messages.length, 20)
    assert.ok(turns >= 5, `${turns} turns of the event loop`)
  })
})
