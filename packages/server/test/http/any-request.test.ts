import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { HOSTILE_TEXTS } from '../support/hostile.ts'
import { type InProcessService, openInProcess } from '../support/in-process.ts'
import { CLIENT_ID, JSON_PATCH, PROJECT, type TestRequest } from '../support/test-client.ts'

let service: InProcessService

before(async () => {
  service = await openInProcess()
})

after(() => service.close())

const text = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...HOSTILE_TEXTS) },
  fc.string({ maxLength: 20 }).map(encodeURIComponent),
  fc.string({ unit: 'binary-ascii', maxLength: 20 }).map((it) => it.replace(/[\0-\x20]/g, '')),
)
const queue = fc.oneof({ weight: 4, arbitrary: fc.constantFrom('jobs', 'slow', 'dead') }, text)

const path = fc.oneof(
  fc.constantFrom('/', '/v2', '/v2/', '/v2/ping', '/v2/queues'),
  fc
    .tuple(queue, fc.constantFrom('', '/stats', '/purge', '/messages', '/claims', '/share', '/'))
    .map(([name, rest]) => `/v2/queues/${name}${rest}`),
  fc
    .tuple(queue, fc.constantFrom('messages', 'claims', 'subscriptions'), text)
    .map(([name, noun, id]) => `/v2/queues/${name}/${noun}/${id}`),
  fc.array(text, { maxLength: 6 }).map((parts) => `/${parts.join('/')}`),
)
const parameter = fc.tuple(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.constantFrom(
        'limit',
        'marker',
        'detailed',
        'name',
        'with_count',
        'echo',
        'ids',
        'pop',
        'claim_id',
        'claim_ids',
        'include_claimed',
        'include_delayed',
      ),
    },
    text,
  ),
  fc.oneof(fc.constantFrom('1', '5', '20', 'true', 'false', ''), text),
)
const query = fc
  .array(parameter, { maxLength: 4 })
  .map((all) => (all.length === 0 ? '' : `?${all.map(([name, value]) => `${name}=${value}`).join('&')}`))

const value = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.constantFrom(60, 61, 300, 0, -1, 2 ** 53, 1e308, null, 'jobs', 'dead', true),
)
const document = fc.oneof(
  fc.record({
    messages: fc.array(fc.record({ body: value, ttl: value, delay: value }, { requiredKeys: ['body'] }), {
      maxLength: 3,
    }),
  }),
  fc.record({ ttl: value, grace: value }, { requiredKeys: [] }),
  fc.array(
    fc.record({
      op: fc.constantFrom('add', 'remove', 'replace', 'x'),
      path: fc.oneof(
        fc.constantFrom('/metadata/_max_claim_count', '/metadata/_dead_letter_queue', '/metadata/a'),
        fc.string().map((it) => `/metadata/${it}`),
      ),
      value,
    }),
    { maxLength: 3 },
  ),
  fc.record(
    {
      _dead_letter_queue: value,
      _max_claim_count: value,
      _default_message_delay: value,
      _default_message_ttl: value,
      resource_types: value,
    },
    { requiredKeys: [] },
  ),
  value,
)
const body = fc.oneof(
  { weight: 5, arbitrary: document.map((it) => JSON.stringify(it)) },
  fc.constant(undefined),
  fc.string({ maxLength: 50 }),
  fc.uint8Array({ maxLength: 50 }),
)
const headers = fc.record(
  {
    'Client-ID': fc.oneof({ weight: 20, arbitrary: fc.constant(CLIENT_ID) }, fc.string()),
    'X-Project-Id': fc.oneof({ weight: 20, arbitrary: fc.constantFrom(PROJECT, 'p2') }, fc.string({ unit: 'binary' })),
    Accept: fc.oneof({ weight: 10, arbitrary: fc.constantFrom('', '*/*', 'application/json') }, fc.string()),
    'Content-Type': fc.constantFrom('application/json', JSON_PATCH, 'text/plain', 'application/x-www-form-urlencoded'),
  },
  { requiredKeys: ['Client-ID', 'X-Project-Id'] },
)
const method = fc.oneof(
  { weight: 10, arbitrary: fc.constantFrom('GET', 'PUT', 'POST', 'PATCH', 'DELETE') },
  fc.constantFrom('HEAD', 'OPTIONS', 'TRACE', 'X'),
)
const request: fc.Arbitrary<TestRequest> = fc.record({
  method,
  target: fc.tuple(path, query).map((parts) => parts.join('')),
  headers,
  body,
})

test('any request at all is served or refused, and time may pass in between', async () => {
  await fc.assert(
    fc.asyncProperty(request, fc.nat({ max: 400 }), async (one, seconds) => {
      service.clock.advance(seconds * 1000)
      const { status, headers, text } = await service.send(one)
      assert.ok(status < 500, String(service.troubles.at(-1)))
      if (headers['content-type']?.startsWith('application/json') && text !== '') JSON.parse(text)
      if (status === 204) assert.equal(text, '')
      // A line feed in a header would begin another header.
      for (const value of Object.values(headers)) assert.doesNotMatch(value, /[\0\r\n]/)
    }),
    { numRuns: 5000, interruptAfterTimeLimit: 15_000 },
  )
})
