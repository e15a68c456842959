import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { allVersions } from '../../src/wire/all-versions.ts'
import { HOSTILE_TEXTS, hostileBodies } from '../support/hostile.ts'
import { type InProcessService, openInProcess } from '../support/in-process.ts'
import { CLIENT_ID, type TestRequest } from '../support/test-client.ts'

let service: InProcessService

before(async () => {
  service = await openInProcess()
})

after(() => service.close())

const routes = allVersions
  .filter(({ entry }) => entry.status === 'DEPRECATED')
  .flatMap(({ prefix, doors }) => doors.map(({ method, path }) => ({ method, path: `${prefix}${path}` })))

const name = fc.oneof({ weight: 4, arbitrary: fc.constantFrom('jobs', 'more') }, fc.constantFrom(...HOSTILE_TEXTS))
const value = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom(60, 300, 0, -1, 2 ** 53, null, 'jobs', true))
const fields = fc.record(
  { ttl: value, grace: value, body: value, delay: value, uri: value, weight: value, options: value, flavor: value },
  { requiredKeys: [] },
)
const messages = fc.array(fc.record({ ttl: fc.constant(60), body: value }), { maxLength: 3 })
const document = fc.oneof(
  fields,
  fc.array(fields, { maxLength: 3 }),
  { weight: 3, arbitrary: messages },
  { weight: 3, arbitrary: fc.oneof(messages, fc.array(fields)).map((messages) => ({ messages })) },
  { weight: 3, arbitrary: fc.constant({ ttl: 60, grace: 60 }) },
  fc.dictionary(fc.constantFrom('_max_claim_count', '_dead_letter_queue', '_default_message_delay', 'a'), value),
)
const body = fc.oneof(
  { weight: 5, arbitrary: document.map((it) => JSON.stringify(it)) },
  fc.constant(undefined),
  fc.constantFrom(...Object.values(hostileBodies((json) => `[{"ttl": 60, "body": ${json}}]`))),
)
const parameter = fc.tuple(
  fc.constantFrom('limit', 'marker', 'detailed', 'name', 'echo', 'ids', 'pop', 'claim_id', 'include_claimed', 'wait'),
  fc.oneof(fc.constantFrom('1', '20', 'true', ''), fc.constantFrom(...HOSTILE_TEXTS)),
)
// What would have to wait has nothing to wait for here.
const query = fc
  .array(parameter, { maxLength: 3 })
  .map((all) => all.filter(([name, text]) => name !== 'wait' || !/^[1-9]/.test(text)))
  .map((all) => all.map(([name, text]) => `${name}=${text}`).join('&'))

const request: fc.Arbitrary<TestRequest> = fc
  .record({ route: fc.constantFrom(...routes), names: fc.array(name, { minLength: 2, maxLength: 2 }), query, body })
  .map(({ route: { method, path }, names: [first = '', second = ''], query, body }) => ({
    method,
    target: `${path.replace(/:\w+/, () => first).replace(/:\w+/, () => second)}${query === '' ? '' : `?${query}`}`,
    headers: { 'Client-ID': CLIENT_ID, 'X-Project-Id': 'p1', 'X-Roles': 'admin' },
    body,
  }))

test('any request of v1 and v1.1 is served or refused', async () => {
  await fc.assert(
    fc.asyncProperty(request, fc.nat({ max: 400 }), async (one, seconds) => {
      service.clock.advance(seconds * 1000)
      const { status, headers, text } = await service.send(one)
      assert.ok(status < 500, String(service.troubles.at(-1)))
      if (status === 204) assert.equal(text, '')
      else if (text !== '') {
        const document = JSON.parse(text)
        if (status >= 400) assert.equal(typeof document.title, 'string')
      }
      for (const value of Object.values(headers)) assert.match(value, /^[\t -~\x80-\xff]*$/)
    }),
    { numRuns: 5000, interruptAfterTimeLimit: 15_000 },
  )
})
