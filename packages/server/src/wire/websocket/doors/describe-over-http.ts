import type { TSchema } from 'typebox'
import type { Limits } from '../../../core/rules/limits.ts'
import type { Json, JsonObject } from '../../../model/model.ts'
import type { JsonSchema } from '../../openapi/json-schema.ts'
import type { ExampleDoc } from '../../openapi/types.ts'
import { parseQuery } from '../../query.ts'
import type { SocketDoorDoc } from '../socket-door.ts'
import type { OverHttp, Places } from './over-http-door.ts'

/** What is said of an HTTP door, and its first example, said of the action that does the same. */
export function describeOverHttp(one: OverHttp, places: Places, limits: Limits): SocketDoorDoc {
  const { door, documentKey } = one
  const kind = door.operation.kind ?? 'queue'
  const home = `/v2/${kind === 'queue' ? 'queues/jobs' : 'topics/news'}`
  const {
    summary,
    description,
    query = {},
    body,
    answers,
    errors,
    examples,
  } = door.describe({
    limits,
    kind,
    home,
    prefix: '/v2',
  })
  const { properties = {} } = (body?.schema ?? {}) as { properties?: Record<string, JsonSchema> }
  const document = documentKey === undefined ? properties : { [documentKey]: body?.schema ?? {} }
  return {
    summary,
    ...(description !== undefined && { details: description }),
    isAddition: true,
    // A topic reads less than its description says.
    body: { properties: { ...only(query, places.query), ...document } },
    answers,
    ...(errors && { errors }),
    example: one.example ?? exampleOf(examples[0] as ExampleDoc, one, places),
  }
}

function only<T>(values: Readonly<Record<string, T>>, names: readonly string[]): Record<string, T> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => names.includes(name)))
}

function exampleOf({ request, answer }: ExampleDoc, one: OverHttp, places: Places): SocketDoorDoc['example'] {
  const { door, documentKey } = one
  const [path = '', rawQuery = ''] = request.path.split('?')
  const parts = path.split('/').slice(-door.path.split('/').length + 1)
  const names = door.path
    .split('/')
    .slice(1)
    .flatMap((part, index) => {
      const name = places.names.find(([param]) => part === `:${param}`)
      return name === undefined ? [] : [[name[1], parts[index] as string] as const]
    })
  const query = [...parseQuery(rawQuery)].map(([key, [value = '']]) => {
    return [key, asJson(value, door.query?.[key] as TSchema & { type?: string })] as const
  })
  return {
    body: { ...Object.fromEntries([...names, ...query]), ...documentOf(request.body, documentKey) },
    status: answer.status,
    answer: answer.body ?? {},
  }
}

function asJson(value: string, { type }: { readonly type?: string }): Json {
  if (type === 'integer') return Number(value)
  return type === 'boolean' ? value === 'true' : value
}

function documentOf(body: Json | undefined, key: string | undefined): JsonObject {
  if (body === undefined) return {}
  return key === undefined ? (body as JsonObject) : { [key]: body }
}
