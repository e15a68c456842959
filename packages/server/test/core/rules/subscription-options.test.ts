import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { readSubscriptionOptions, subscriptionOptionsProblem } from '../../../src/core/rules/subscription-options.ts'
import type { JsonObject } from '../../../src/model/model.ts'

const MARKER = '"$zaqar_message$"'

describe('the options of a subscription', () => {
  const accepted: JsonObject[] = [
    {},
    { anything: [1, { a: null }], _unknown: 'x' },
    { _ordered: true, _end_on_gone: false, _format: 'cloudevents' },
    { _format: 'cloudevents', _batch: { messages: 100, seconds: 0 } },
    { _batch: { messages: 1, seconds: 300 } },
    { _filter: { event: ['created'] } },
    { post_headers: { 'X-Team': 'bill\u00edng', 'Content-Type': 'text/plain', Empty: '', 'Accept-Encoding': null } },
    { post_headers: [] },
    { post_headers: '' },
    { post_data: '' },
    { post_data: `[${Array(20).fill(MARKER)}]` },
    { from: 'A <a@example.com>', subject: 'Gr\u00fc\u00dfe' },
    {
      _retry_policy: null,
      _ordered: null,
      _filter: null,
      _format: null,
      _batch: null,
      _end_on_gone: null,
      post_headers: null,
      post_data: null,
      from: null,
      subject: null,
    },
  ]
  for (const options of accepted) {
    test(`may be ${JSON.stringify(options).slice(0, 80)}`, () => {
      assert.equal(subscriptionOptionsProblem(options), null)
    })
  }

  const refused: [options: JsonObject, problem: RegExp][] = [
    [{ _retry_policy: 'often' }, /^retry_policy must be a dict\.$/],
    [{ _ordered: 1 }, /^_ordered must be a boolean\.$/],
    [{ _end_on_gone: 'yes' }, /^_end_on_gone must be a boolean\.$/],
    [{ _filter: [] }, /^_filter must be an object\.$/],
    [{ _format: 'xml' }, /^_format must be one of zaqar, cloudevents, cloudevents-binary\.$/],
    [{ _format: ['zaqar'] }, /^_format /],
    [{ _batch: 5 }, /^_batch /],
    [{ _batch: { messages: 0, seconds: 1 } }, /^_batch .* integer of 1 to 100.* 0 to 300/],
    [{ _batch: { messages: 101, seconds: 1 } }, /^_batch /],
    [{ _batch: { messages: 5 } }, /^_batch /],
    [{ _batch: { messages: 5, seconds: 1.5 } }, /^_batch /],
    [{ _batch: { messages: 5, seconds: 301 } }, /^_batch /],
    [{ _batch: { messages: 5, seconds: 1 }, _format: 'cloudevents-binary' }, /^_batch needs another _format/],
    [{ post_headers: 'X-Team: billing' }, /^post_headers must be a dict\.$/],
    [{ post_headers: ['X-Team'] }, /^post_headers must be a dict\.$/],
    [{ post_headers: { 'X-Count': 1 } }, /^post_headers: "X-Count" cannot be sent as a header\.$/],
    [{ post_headers: { 'X Team': 'billing' } }, /"X Team"/],
    [{ _with_ids: 1 }, /^_with_ids must be a boolean\.$/],
    [{ post_headers: { '': 'billing' } }, /""/],
    [{ post_headers: { 'X-A\r\nX-B': '1' } }, /"X-A\\r\\nX-B"/],
    [{ post_headers: { 'X-Team': 'a\r\nX-Other: b' } }, /"X-Team"/],
    [{ post_headers: { 'X-Team': 'a\n' } }, /"X-Team"/],
    [{ post_headers: { 'X-Team': '\u0000' } }, /"X-Team"/],
    [{ post_headers: { 'X-Team': '\u20ac' } }, /"X-Team"/],
    [{ post_data: { a: 1 } }, /^post_data must be a string\.$/],
    [
      { post_data: `[${Array(21).fill(MARKER)}]` },
      /^post_data must not hold "\$zaqar_message\$" more than 20 times\.$/,
    ],
    [{ from: 5 }, /^from must be a string without line breaks\.$/],
    [{ from: 'a@example.com\r\nBcc: b@example.com' }, /^from /],
    [{ subject: 'Hello\n' }, /^subject must be a string without line breaks\.$/],
  ]
  for (const [options, problem] of refused) {
    test(`${JSON.stringify(options).slice(0, 80)} is refused`, () => {
      assert.match(subscriptionOptionsProblem(options) ?? '', problem)
    })
  }

  const DEFAULTS = {
    retryPolicy: null,
    isOrdered: false,
    filter: null,
    format: 'zaqar',
    batch: null,
    endsOnGone: false,
    postHeaders: {},
    postData: null,
    from: null,
    subject: null,
    trustId: null,
    withIds: false,
  }

  test('are read as they were set', () => {
    const { filter, ...others } = readSubscriptionOptions(
      JSON.stringify({
        _retry_policy: { minimum_delay: 1 },
        _ordered: true,
        _filter: { a: ['x'] },
        _format: 'cloudevents',
        _batch: { messages: 10, seconds: 2 },
        _end_on_gone: true,
        post_headers: { 'X-Team': 'billing', Accept: null },
        post_data: '{}',
        from: 'a@example.com',
        subject: 'News',
        trust_id: 't1',
        _with_ids: true,
        other: 1,
      }),
    )
    assert.deepEqual(others, {
      retryPolicy: { minimum_delay: 1 },
      isOrdered: true,
      format: 'cloudevents',
      batch: { messages: 10, seconds: 2 },
      endsOnGone: true,
      postHeaders: { 'X-Team': 'billing', Accept: null },
      postData: '{}',
      from: 'a@example.com',
      subject: 'News',
      trustId: 't1',
      withIds: true,
    })
    assert.ok(filter?.({ a: 'x' }))
    assert.ok(!filter?.({ a: 'y' }))
  })

  test('that say nothing, or what cannot be used, are the defaults', () => {
    assert.deepEqual(readSubscriptionOptions('{}'), DEFAULTS)
    const nonsense = {
      _retry_policy: [],
      _ordered: 'true',
      _filter: { a: 1 },
      _format: 5,
      _batch: { messages: 1000, seconds: 1 },
      _end_on_gone: 1,
      post_headers: { 'X Team': 'a', 'X-Team': 5, __proto__: 1 },
      post_data: {},
      from: 'a\nb',
      subject: 1.5,
      trust_id: {},
      _with_ids: 'true',
    }
    assert.deepEqual(readSubscriptionOptions(JSON.stringify(nonsense)), DEFAULTS)
  })

  test('are read whatever they hold', () => {
    const keys = ['_retry_policy', '_filter', '_format', '_batch', 'post_headers', 'post_data', 'from', '__proto__']
    const value = fc.anything({ values: [fc.string(), fc.integer(), fc.constantFrom(null, true, 1.5)], maxDepth: 3 })
    const options = fc.dictionary(fc.constantFrom(...keys), value, {
      noNullPrototype: true,
    })
    fc.assert(
      fc.property(options, (options) => {
        const { postHeaders, batch } = readSubscriptionOptions(JSON.stringify(options))
        assert.ok(Object.values(postHeaders).every((value) => value === null || !/[\r\n]/.test(value)))
        assert.ok(batch === null || batch.messages <= 100)
      }),
      { numRuns: 1000 },
    )
  })
})
