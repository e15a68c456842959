import assert from 'node:assert/strict'
import type { OpenApi } from '../../packages/server/src/wire/openapi/types.ts'
import {
  assertFits,
  operationsOf,
  type PlacedOperation,
  resolved,
  type Schema,
} from '../../packages/server/test/openapi/document.ts'

/** A request of a client, and its answer. */
interface Exchange {
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
  readonly status: number
  readonly answer: unknown
}

/** `fetch`, and what has gone through it. */
export function recorder(): { readonly fetch: typeof globalThis.fetch; readonly exchanges: readonly Exchange[] } {
  const exchanges: Exchange[] = []
  return {
    exchanges,
    async fetch(input, init = {}) {
      const response = await fetch(input, init)
      // An event stream does not end.
      const isDocument = response.headers.get('content-type')?.startsWith('application/json')
      const text = isDocument ? await response.clone().text() : ''
      exchanges.push({
        method: init.method ?? 'GET',
        url: new URL(String(input)),
        headers: init.headers as Record<string, string>,
        body: init.body === undefined ? undefined : JSON.parse(init.body as string),
        status: response.status,
        answer: text === '' ? undefined : JSON.parse(text),
      })
      return response
    },
  }
}

/** Headers that the description has once for all operations, or that go without saying. */
const ANYWHERE = ['accept', 'client-id', 'content-type', 'x-project-id', 'x-roles', 'url-signature', 'url-paths']
ANYWHERE.push('url-methods', 'url-expires')
/** Its other parameters are metadata that queues must have. */
const WITH_METADATA = 'v2.queues.list'
/** Their bodies are metadata, of which few are named. */
const OF_METADATA = ['v2.queues.create', 'v2.topics.create']

/** The API as `/openapi.json` describes it. */
export class DescribedApi {
  readonly #operations: readonly PlacedOperation[]

  private constructor(document: OpenApi) {
    this.#operations = operationsOf(document).filter(({ operation }) => operation.operationId.startsWith('v2.'))
  }

  static async of(url: string): Promise<DescribedApi> {
    const document = (await (await fetch(`${url}/openapi.json`)).json()) as OpenApi
    return new DescribedApi(resolved(document, document) as OpenApi)
  }

  /** Ids of all operations of v2, and of what can be sent to each: `v2.messages.list ?limit`, `v2.claims.create ttl`. */
  partsOfAll(): Set<string> {
    return new Set(this.#operations.flatMap((one) => [one.operation.operationId, ...partsOf(one)]))
  }

  /** The same of what was sent. Fails when a request is not as its operation says, or its answer. */
  partsIn(exchange: Exchange): string[] {
    const { method, url, headers, body, status, answer } = exchange
    const what = `${method} ${url.pathname}`
    const found = this.#operations.find((one) => one.method === method && patternOf(one.path).test(url.pathname))
    const placed = found ?? assert.fail(`${what} is not described`)
    const { operationId } = placed.operation
    const parts = [
      ...[...url.searchParams.keys()].map((name) => `?${name}`),
      ...Object.keys(headers).flatMap((name) => (isAnywhere(name) ? [] : [`${name}:`])),
      ...(OF_METADATA.includes(operationId) ? [] : membersOf(body)),
    ].map((part) => `${operationId} ${part}`)
    const known = partsOf(placed)
    const isMetadata = (part: string) => operationId === WITH_METADATA && part.includes('?')
    for (const part of parts) assert.ok(known.includes(part) || isMetadata(part), `${what}: ${part} is not described`)
    const content = bodyOf(placed)
    assert.equal(
      body === undefined ? undefined : headers['Content-Type'],
      body === undefined ? undefined : content?.type,
    )
    // Who asks for what is wrong gets an error.
    if (body !== undefined && status < 400) assertFits(body, content?.schema, what)
    const described = placed.operation.responses[status] as Schema
    assert.ok(described !== undefined, `${what} is answered ${status}, which is not described`)
    if (answer !== undefined) assertFits(answer, described.content['application/json'].schema, what)
    return [operationId, ...parts]
  }
}

function isAnywhere(header: string): boolean {
  return ANYWHERE.includes(header.toLowerCase())
}

function partsOf(placed: PlacedOperation): string[] {
  const { operationId, parameters = [] } = placed.operation
  const named = (parameters as Schema[]).flatMap(({ in: place, name }) => {
    if (place === 'query') return [`?${name}`]
    return place === 'header' && !isAnywhere(name) ? [`${name}:`] : []
  })
  const members = OF_METADATA.includes(operationId) ? [] : Object.keys(bodyOf(placed)?.schema.properties ?? {})
  return [...named, ...members].map((part) => `${operationId} ${part}`)
}

function bodyOf({ operation }: PlacedOperation): { readonly type: string; readonly schema: Schema } | undefined {
  const [content] = Object.entries<Schema>((operation.requestBody as Schema)?.content ?? {})
  return content && { type: content[0], schema: content[1].schema }
}

function membersOf(body: unknown): string[] {
  return typeof body === 'object' && body !== null && !Array.isArray(body) ? Object.keys(body) : []
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`)
}
