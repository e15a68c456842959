import type { TObject, TSchema } from 'typebox'
import { checkQueueKey } from '../../../core/rules/names.ts'
import { printJson } from '../../../model/json.ts'
import type { Json, JsonObject } from '../../../model/model.ts'
import type { AnyDoor, DoorRequest, RequestBody } from '../../door.ts'
import type { Query } from '../../query.ts'
import { Type } from '../../typed-schema.ts'
import { invalidRequest } from '../../wire-error.ts'
import {
  type AnySocketDoor,
  type SocketDoor,
  type SocketDoorDoc,
  type SocketRequest,
  socketDoor,
  type Target,
} from '../socket-door.ts'
import { describeOverHttp } from './describe-over-http.ts'

export interface OverHttp {
  readonly action: string
  /** Of v2. */
  readonly door: AnyDoor
  /** The same for topics. */
  readonly topicDoor?: AnyDoor
  /**
   * The key under which the document of the HTTP request is. Where there is none, the keys of that document stand
   * beside the names and the parameters of the query.
   */
  readonly documentKey?: string
  /** That document, or the one key, where the door reads it without a schema. */
  readonly document?: TObject
  /** The type of the document, where it is not plain JSON. */
  readonly contentType?: string
  /** All doors of the version. */
  readonly doors: readonly AnyDoor[]
  readonly needsNoCaller?: true
  /** A name that upstream asks for although the path needs none. */
  readonly strayName?: string
  /** Where the one of HTTP asks for what the action does not take. */
  readonly example?: SocketDoorDoc['example']
}

/** Where HTTP has what an action reads. */
export interface Places {
  /** Parameters of the path, each with the key of the body that has its value. */
  readonly names: readonly (readonly [param: string, key: string])[]
  readonly query: readonly string[]
  /** What is no part of the HTTP request. */
  readonly stray: readonly string[]
}

const PREFIX = '/v2'

/**
 * The action that does what an HTTP request does: it is made into that request, and what that is answered is the body
 * of the answer, an empty object where HTTP has none.
 */
export function overHttpDoor(one: OverHttp): AnySocketDoor {
  const { action, door, topicDoor, needsNoCaller } = one
  const places = placesIn(one)
  const body = bodyOf(one, places)
  const { topicDoor: _, ...onQueues } = one
  return socketDoor({
    action,
    operation: door.operation,
    body,
    ...(Object.values(body.properties).every(Type.IsOptional) && { bodyIsOptional: true as const }),
    ...(needsNoCaller && { needsNoCaller }),
    ...(door.admin && { admin: door.admin }),
    ...(topicDoor && { forTopics: overHttpDoor({ ...onQueues, door: topicDoor }) }),
    target: (body) => targetOf(body, door, places),
    decode(request) {
      checkNames(request, door, places)
      return door.decode(asDoorRequest(request, one, places))
    },
    encode(output, request) {
      const { status, body } = door.encode(output, asDoorRequest(request, one, places))
      return { status, body: body || '{}' }
    },
    describe: (limits) => describeOverHttp(one, places, limits),
  } satisfies SocketDoor<unknown, unknown>)
}

const NAME_KEYS: Readonly<Record<string, string>> = {
  subscription: 'subscription_id',
  pool: 'pool_name',
  flavor: 'flavor_name',
}

function placesIn({ door: { path, operation, query = {} }, strayName }: OverHttp): Places {
  const kind = operation.kind ?? 'queue'
  const names = [...path.matchAll(/:(\w+)/g)].map(
    ([, param = '']) => [param, NAME_KEYS[param] ?? `${kind}_name`] as const,
  )
  return { names, query: Object.keys(query), stray: strayName === undefined ? [] : [strayName] }
}

/** Types alone: what HTTP says of a value that is out of range, is said here too. */
function bodyOf({ door, document = Type.Object({}) }: OverHttp, { names, query, stray }: Places): TObject {
  const { properties, required = [] } = (door.body as TObject | undefined) ?? document
  const fields = Object.entries(properties).map(([key, schema]) => {
    const type = typeOnly(schema)
    return [key, (required as readonly string[]).includes(key) ? type : Type.Optional(type)] as const
  })
  return Type.Object({
    ...Object.fromEntries(names.map(([, key]) => [key, Type.String()])),
    ...Object.fromEntries(stray.map((key) => [key, Type.Optional(Type.String())])),
    ...Object.fromEntries(query.map((key) => [key, Type.Optional(typeOnly(door.query?.[key] as TSchema))])),
    ...Object.fromEntries(fields),
  })
}

function typeOnly({ type, items }: TSchema & { type?: unknown; items?: TSchema }): TSchema {
  return Type.Unsafe({ ...(type !== undefined && { type }), ...(items && { items: typeOnly(items) }) })
}

function targetOf(body: JsonObject, { method, path }: AnyDoor, { names }: Places): Target {
  const params = Object.fromEntries(names.map(([param, key]) => [param, body[key] as string]))
  const named = path.replaceAll(/:(\w+)/g, (_, param: string) => params[param] as string)
  return { resource: { method, path: `${PREFIX}${named}` }, names: params }
}

/** No path could have such names, and what HTTP can neither reach nor sign must not come into being here. */
function checkNames({ body, caller: { project } }: SocketRequest, { operation }: AnyDoor, { names }: Places): void {
  for (const [param, key] of names) {
    const name = body[key] as string
    if (param === 'queue') checkQueueKey({ project, kind: operation.kind ?? 'queue', name })
    else if (name === '' || name.includes('/')) throw invalidRequest(`The "${key}" must be a name without slashes.`)
  }
}

function asDoorRequest(request: SocketRequest, one: OverHttp, places: Places): DoorRequest {
  const { body, caller, limits } = request
  const { resource, names } = targetOf(body, one.door, places)
  const query = queryIn(body, places)
  return {
    prefix: PREFIX,
    path: resource.path,
    params: names,
    query,
    rawQuery: String(new URLSearchParams([...query].map(([key, [value = '']]) => [key, value]))),
    get body() {
      return documentIn(body, one, places)
    },
    headers: one.contentType === undefined ? {} : { 'content-type': one.contentType },
    caller,
    messageForm: 'full',
    doors: one.doors,
    limits,
  }
}

function queryIn(body: JsonObject, { query }: Places): Query {
  const given = query.filter((key) => Object.hasOwn(body, key))
  return new Map(given.map((key) => [key, [asText(body[key] as Json)]]))
}

function asText(value: Json): string {
  return typeof value === 'string' ? value : printJson(value)
}

function documentIn(body: JsonObject, { documentKey }: OverHttp, { names, query, stray }: Places): RequestBody {
  const elsewhere = [...names.map(([, key]) => key), ...query, ...stray]
  const rest = Object.entries(body).filter(([key]) => !elsewhere.includes(key))
  const document = documentKey === undefined ? Object.fromEntries(rest) : body[documentKey]
  if (document === undefined || (documentKey === undefined && rest.length === 0)) return { bytes: null, text: '' }
  const text = printJson(document)
  return { bytes: Buffer.byteLength(text), text }
}
