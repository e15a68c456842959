import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import fc, { type Arbitrary } from 'fast-check'
import { type InProcessService, openInProcess } from '../support/in-process.ts'
import { waits } from '../support/settled.ts'
import { type TestAnswer, TestClient } from '../support/test-client.ts'
import { breaking, brokenBodies, fitting } from './arbitraries.ts'
import {
  assertDocumented,
  fetchDocument,
  operationsOf,
  type PlacedOperation,
  type Schema,
  versionAndName,
} from './document.ts'

const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31)
/** For each operation, of each kind of request. */
const RUNS = 50

/** A request that knows of its path only what it wants there: a thing that exists, by its number, or a text. */
interface Wanted {
  readonly path: Readonly<Record<string, string | number>>
  readonly query: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array | undefined
}

/** What a schema cannot say: it may take more for a request to be right. */
const MORE_RULES = new Set([
  // `ids` or `pop`, not both.
  'messages.delete_many',
  'topics.messages.delete_many',
  // A claim that holds the message.
  'messages.delete',
  'topics.messages.delete',
  // What a reserved attribute may become.
  'queues.update',
  'topics.update',
  // Pools that exist.
  'flavors.put',
  'flavors.update',
])

/** Neither can it say that the ttl of a message has to be longer than the delay that its queue gives it. */
const SHORT_LIFE = /A message would never be seen/

describe(`requests made from the document (FUZZ_SEED=${SEED})`, () => {
  let service: InProcessService
  let operations: PlacedOperation[]
  const things = new Map<string, string[]>()

  before(async () => {
    service = await openInProcess({ OS_TRANSPORT__MESSAGE_ENCRYPTION_KEY: 'a key that only tests know' })
    operations = operationsOf(await fetchDocument(service.send))
    for (const name of ['jobs', 'news']) remember('queue', name)
    for (const [param, name] of [['pool', 'east'] as const, ['flavor', 'gold'] as const]) remember(param, name)
  })
  after(async () => {
    await service.close()
    assert.deepEqual(service.troubles, [])
  })

  it('that follow it are answered as documented, and not called wrong', async () => {
    await everyOperation(
      (operation) => [rightRequests(operation)],
      ({ operation: { operationId } }, answer, request) =>
        assert.ok(
          answer.status !== 400 || MORE_RULES.has(versionAndName(operationId)[1]) || SHORT_LIFE.test(answer.text),
          `${answer.text} is the answer to what follows the document: ${request}`,
        ),
    )
  })

  it('that break one rule of it are called wrong', async () => {
    await everyOperation(
      (operation) => brokenRequests(operation),
      (_operation, answer, request) =>
        assert.equal(answer.status, 400, `${answer.status} ${answer.text} is the answer to what is wrong: ${request}`),
    )
  })

  it('that lack a header, take no JSON or come from nobody important are answered as documented', async () => {
    const headers = fc.constantFrom<Record<string, string | undefined>>(
      { 'Client-ID': undefined },
      { 'Client-ID': 'me' },
      { 'X-Project-Id': undefined },
      { 'X-Project-Id': '' },
      { Accept: 'text/plain' },
      { 'X-Roles': 'member' },
    )
    await everyOperation(
      (operation) => [
        fc.tuple(rightRequests(operation), headers).map(([request, own]) => ({
          ...request,
          headers: { ...request.headers, ...own } as Record<string, string>,
        })),
      ],
      () => {},
    )
  })

  it('with a method that a path does not have are answered 405 and told which it has', async () => {
    for (const [path, some] of Map.groupBy(operations, (one) => one.path)) {
      const has = some.map(({ method }) => method)
      for (const method of ['GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE'].filter((one) => !has.includes(one))) {
        const answer = await new TestClient(service.send).send(method, path.replace(/\{\w+\}/g, 'x'))
        assert.equal(answer.status, 405, `${method} ${path}`)
        assert.equal(answer.headers['allow'], [...has.sort(), 'OPTIONS'].join(', '))
      }
    }
  })

  async function everyOperation(
    requests: (operation: PlacedOperation) => Arbitrary<Wanted>[],
    check: (operation: PlacedOperation, answer: TestAnswer, request: string) => void,
  ): Promise<void> {
    for (const operation of operations) {
      const kinds = requests(operation)
      if (kinds.length === 0) continue
      const property = fc.asyncProperty(fc.oneof(...kinds), async (wanted) => {
        const [answer, request] = await send(operation, wanted)
        assertDocumented(operation, answer, request)
        check(operation, answer, request)
        learn(answer)
      })
      // Requests leave something behind, so a shorter one need not fail in the same way: none is looked for.
      await fc.assert(property, { seed: SEED, numRuns: Math.max(RUNS, kinds.length * 3), endOnFailure: true })
    }
  }

  async function send({ method, path, operation }: PlacedOperation, wanted: Wanted): Promise<[TestAnswer, string]> {
    const place = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(nameFor(name, wanted.path[name])))
    const target = wanted.query === '' ? place : `${place}?${wanted.query}`
    const type = Object.keys((operation.requestBody?.['content'] ?? {}) as object)[0]
    const headers = { 'X-Roles': 'admin', ...(type === undefined ? {} : { 'Content-Type': type }), ...wanted.headers }
    const answer = new TestClient(service.send).send(method, target, wanted.body, { headers })
    // Some wait for time to pass.
    while (await waits(answer)) service.clock.advance(1000)
    const body = String(wanted.body).slice(0, 1000)
    return [await answer, `${method} ${target} ${JSON.stringify(wanted.headers)} ${body}`]
  }

  function nameFor(param: string, wanted: string | number | undefined): string {
    if (typeof wanted === 'string') return wanted
    const known = things.get(param) ?? []
    return known[(wanted as number) % known.length] ?? 'nothing'
  }

  /** Ids of today, so that later requests meet what is there. */
  function learn({ headers, text }: TestAnswer): void {
    const found = `${headers['location']} ${text}`.matchAll(/\/(message|claim|subscription)s\/([0-9a-f]+)/g)
    for (const [, param, id] of found) remember(param as string, id as string)
    const subscription = /"subscription_id": "(\w+)"/.exec(text)?.[1]
    if (subscription !== undefined) remember('subscription', subscription)
  }

  function remember(param: string, name: string): void {
    things.set(param, [name, ...(things.get(param) ?? [])].slice(0, 8))
  }
})

function parametersOf({ operation }: PlacedOperation, place: string): Schema[] {
  return (operation.parameters ?? []).filter((parameter) => parameter['in'] === place)
}

function rightPath(operation: PlacedOperation): Arbitrary<Wanted['path']> {
  const entries = parametersOf(operation, 'path').map(({ name, schema }) => [
    name,
    fc.oneof(
      { weight: 3, arbitrary: fc.nat() },
      // A slash separates, however it is written.
      { weight: 1, arbitrary: (fitting(schema) as Arbitrary<string>).filter((text) => !text.includes('/')) },
    ),
  ])
  return fc.record(Object.fromEntries(entries))
}

function rightRequests(operation: PlacedOperation): Arbitrary<Wanted> {
  return fc.record({
    path: rightPath(operation),
    query: rightQueries(operation),
    headers: fc.record(byName(ownHeaders(operation)), { requiredKeys: [] }) as Arbitrary<Record<string, string>>,
    body: rightBodies(operation),
  })
}

function rightQueries(operation: PlacedOperation): Arbitrary<string> {
  const parameters = parametersOf(operation, 'query')
  const requiredKeys = parameters.filter(({ required }) => required).map(({ name }) => name)
  return fc.record(byName(parameters), { requiredKeys }).map(toQuery)
}

/** Those that are not about the caller. Values of headers are plain text. */
function ownHeaders(operation: PlacedOperation): Schema[] {
  return parametersOf(operation, 'header')
    .filter(({ name }) => !['Client-ID', 'X-Project-Id'].includes(name))
    .map((one) => ({ ...one, schema: { ...one.schema, pattern: '^[!-~]+$' } }))
}

function byName(parameters: readonly Schema[]): Record<string, Arbitrary<unknown>> {
  return Object.fromEntries(parameters.map(({ name, schema }) => [name, fitting(schema)]))
}

function toQuery(values: Readonly<Record<string, unknown>>): string {
  return new URLSearchParams(Object.entries(values).map(([name, value]) => [name, String(value)])).toString()
}

function bodyOf({ operation }: PlacedOperation): { schema: Schema; required: boolean } | undefined {
  const body = operation.requestBody as Schema
  return body && { schema: Object.values<Schema>(body.content)[0].schema, required: body.required }
}

function rightBodies(operation: PlacedOperation): Arbitrary<Wanted['body']> {
  const body = bodyOf(operation)
  if (body === undefined) return fc.constant(undefined)
  const bodies = fitting(body.schema).map((value) => JSON.stringify(value))
  return body.required ? bodies : fc.option(bodies, { nil: undefined })
}

function brokenRequests(operation: PlacedOperation): Arbitrary<Wanted>[] {
  const path = rightPath(operation)
  const none = { query: '', headers: {}, body: undefined }
  const queries = parametersOf(operation, 'query').flatMap(({ name, schema }) =>
    brokenTexts(schema).map((bad) => bad.map((text) => new URLSearchParams([[name, text]]).toString())),
  )
  const right = rightBodies(operation)
  return [
    ...queries.map((bad) => fc.record({ path, query: bad, body: right }).map((one) => ({ ...none, ...one }))),
    ...brokenBodiesOf(operation).map((bad) => fc.record({ path, body: bad }).map((one) => ({ ...none, ...one }))),
    ...brokenPaths(operation).map((bad) => fc.record({ path: bad, body: right }).map((one) => ({ ...none, ...one }))),
  ]
}

function brokenTexts({ type, minimum, maximum, maxItems }: Schema): Arbitrary<string>[] {
  if (type === 'integer') {
    return [
      fc.constantFrom('text', '1.5', '1e3', '0x10', '--1', '9'.repeat(400)),
      ...(minimum === undefined ? [] : [fc.integer({ max: minimum - 1 }).map(String)]),
      ...(maximum === undefined ? [] : [fc.integer({ min: maximum + 1 }).map(String)]),
    ]
  }
  if (type === 'boolean') return [fc.constantFrom('maybe', '2', 'TRUE', 'null')]
  return maxItems === undefined ? [] : [fc.constantFrom(',', 'x,'.repeat(maxItems + 1))]
}

function brokenBodiesOf(operation: PlacedOperation): Arbitrary<Wanted['body']>[] {
  const body = bodyOf(operation)
  if (body === undefined) return []
  const values = breaking(body.schema).map((bad) => bad.map((value) => JSON.stringify(value)))
  const missing = body.required ? [fc.constantFrom(undefined, '')] : []
  return [...values, ...missing, brokenBodies]
}

/** Of names, only those of queues and topics are looked at before they are looked for. */
function brokenPaths(operation: PlacedOperation): Arbitrary<Wanted['path']>[] {
  const params = parametersOf(operation, 'path')
  if (!params.some(({ name }) => name === 'queue')) return []
  const bad = fc.constantFrom('a b', 'ü', 'x'.repeat(65), 'a\n', 'a\u0000', 'a%', 'a?b')
  return [fc.tuple(rightPath(operation), bad).map(([path, queue]) => ({ ...path, queue }))]
}
