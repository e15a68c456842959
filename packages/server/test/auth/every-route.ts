import assert from 'node:assert/strict'
import type { PlacedOperation, Schema } from '../openapi/document.ts'
import { json } from '../support/answers.ts'
import { type Extra, JSON_PATCH, type TestAnswer, type TestClient } from '../support/test-client.ts'

/** What of a project can be named, by the kind of name. */
export type Names = Readonly<Record<'message' | 'claim' | 'subscription', readonly string[]>>

export interface Attempt {
  readonly method: string
  readonly target: string
  readonly body: unknown
}

/** Whoever knows no id knows these: everybody in a test has things of the same names. */
const COMMON: Readonly<Record<string, string>> = { queue: 'jobs', flavor: 'gold', pool: 'east' }

const queue = '/v2/queues/jobs'
const topic = '/v2/topics/jobs'

/** Fills a project with something of every kind; all of it holds the mark. */
export async function fill(client: TestClient, mark: string): Promise<Names> {
  await client.put(queue, { mark })
  await client.put(topic, { mark })
  const post = async (to: string) => {
    const { resources } = json(await client.post(`${to}/messages`, { messages: [{ ttl: 300, body: mark }] }))
    return lastPart(resources[0])
  }
  const claimed = await post(queue)
  const { headers } = await client.post(`${queue}/claims?limit=1`, { ttl: 300, grace: 60 })
  const messages = [await post(queue), claimed, await post(topic)]
  const subscribe = async (to: string): Promise<string> => {
    const wanted = { subscriber: `http://192.0.2.1/${mark}`, ttl: 600 }
    return json(await client.post(`${to}/subscriptions`, wanted)).subscription_id
  }
  return {
    message: messages,
    claim: [lastPart(headers['location'] ?? '')],
    subscription: [await subscribe(queue), await subscribe(topic)],
  }
}

/** All of a project that can be read, as far as it does not change with time. */
export async function picture(client: TestClient, names: Names): Promise<readonly TestAnswer[]> {
  const reads = [
    '/v2/queues?detailed=true&with_count=true',
    '/v2/topics?detailed=true',
    ...[queue, topic].flatMap((place) => [
      place,
      `${place}/stats`,
      `${place}/messages?echo=true&include_claimed=true&include_delayed=true`,
      `${place}/subscriptions`,
    ]),
    ...names.claim.map((id) => `${queue}/claims/${id}`),
    '/v2/flavors?detailed=true',
  ]
  const answers: TestAnswer[] = []
  for (const path of reads) {
    const { status, headers, text } = await client.get(path)
    answers.push({ status, headers, text: text.replace(/"age": \d+/g, '') })
  }
  return answers
}

/**
 * Everything that somebody could try who has got hold of all names of a project: each route as the served description
 * has it, with each id in each place that takes one. Fails where the description has a place that this does not know
 * what to put in.
 */
export function attemptsOn(operations: readonly PlacedOperation[], names: Names): Attempt[] {
  const ids = Object.values(names).flat()
  return inOrder(operations).flatMap(({ method, path, operation }) => {
    const queries = queriesOf(operation.parameters ?? [], names, ids)
    const bodies = bodiesOf(operation.requestBody, ids)
    return pathsOf(path, ids).flatMap((place) =>
      queries.flatMap((query) => bodies.map((body) => ({ method, target: `${place}${query}`, body }))),
    )
  })
}

/** Reading before writing before deleting, so that little is gone when it is tried for. */
function inOrder(operations: readonly PlacedOperation[]): PlacedOperation[] {
  const rank = ['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE']
  return operations.toSorted((a, b) => rank.indexOf(a.method) - rank.indexOf(b.method))
}

function pathsOf(template: string, ids: readonly string[]): string[] {
  const [, param] = /\{(\w+)\}/.exec(template) ?? []
  if (param === undefined) return [template]
  const common = COMMON[param]
  const isOfIds = ['message', 'claim', 'subscription'].includes(param)
  assert.ok(common !== undefined || isOfIds, `what to put in {${param}} of ${template}?`)
  return (common === undefined ? ids : [common]).flatMap((name) => pathsOf(template.replace(`{${param}}`, name), ids))
}

/** What parameters of the query name, or how they widen what is seen. Null: they do neither. */
const QUERY: Readonly<Record<string, ((names: Names, ids: readonly string[]) => readonly string[]) | null>> = {
  ids: (_names, ids) => [...ids, ids.join(',')],
  marker: (_names, ids) => ids,
  claim_id: (_names, ids) => ids,
  claim_ids: ({ message, claim }) => [`${claim}&ids=${message}`],
  pop: () => ['20'],
  detailed: () => ['true'],
  echo: () => ['true'],
  include_claimed: () => ['true&echo=true'],
  include_delayed: () => ['true&echo=true'],
  with_markers: () => ['true&echo=true'],
  with_count: () => ['true'],
  limit: null,
  name: null,
  wait: null,
}

function queriesOf(parameters: readonly Schema[], names: Names, ids: readonly string[]): string[] {
  const chosen = parameters
    .filter((parameter) => parameter['in'] === 'query')
    .flatMap(({ name }) => {
      const values = QUERY[name as string]
      assert.ok(values !== undefined, `what to try with the parameter ${name}?`)
      return (values?.(names, ids) ?? []).map((value) => `?${name}=${value}`)
    })
  return ['', ...chosen]
}

/** The examples of the description, and where it takes ids, all of them. */
function bodiesOf(requestBody: Schema, ids: readonly string[]): unknown[] {
  if (requestBody === undefined) return [undefined]
  const { examples, schema } = Object.values<Schema>(requestBody.content)[0]
  const shown = Object.values<Schema>(examples).map(({ value }) => value)
  return schema.properties?.ids === undefined ? shown : [{ ids }, ...shown]
}

/**
 * Tries all, each with something of the same names in the project of the one who tries, and answers what came of it,
 * without the ids that are drawn by lot. Fails where an answer holds what is the victim's: its mark, or one of its
 * names.
 */
export async function tryAll(
  client: TestClient,
  attempts: readonly Attempt[],
  victim: { readonly mark: string; readonly names: Names },
): Promise<string[]> {
  const secrets = [victim.mark, ...Object.values(victim.names).flat()]
  const answers: string[] = []
  for (const { method, target, body } of attempts) {
    await client.put(queue)
    await client.put(topic)
    await client.put('/v2/flavors/gold', { pool_list: ['east'] })
    const { status, text, headers } = await client.send(method, target, body, typeOf(body))
    const about = `${method} ${target} is answered ${status} ${JSON.stringify(headers)} ${text}`
    assert.ok(status < 500, about)
    // A refusal may repeat what was asked for.
    for (const secret of secrets) assert.ok(status >= 400 || !text.includes(secret), about)
    answers.push(`${method} ${target}: ${status} ${text.replace(/[0-9a-f]{8}-?[0-9a-f]{4}[0-9a-f-]+/g, 'ID')}`)
  }
  return answers
}

function typeOf(body: unknown): Extra {
  return Array.isArray(body) && 'op' in body[0] ? { headers: { 'Content-Type': JSON_PATCH } } : {}
}

function lastPart(path: string): string {
  const id = path.slice(path.lastIndexOf('/') + 1)
  assert.notEqual(id, '')
  return id
}
