import type { Operation } from '../core/execute.ts'
import type { AnyDoor, Door, DoorRequest } from './door.ts'
import type { JsonSchema } from './openapi/json-schema.ts'
import type { DocContext, DoorDoc } from './openapi/types.ts'
import { only, type QuerySchema } from './query.ts'
import type { AnswerSchemas } from './v2/answer-schemas.ts'
import type { ApiVersion } from './versions.ts'

/** One difference between a version of the API and the next newer one. */
export type Change = (newer: ApiVersion) => ApiVersion

/** A version: the next newer one with all changes taken back. */
export function older(
  newer: ApiVersion,
  own: Pick<ApiVersion, 'prefix' | 'entry' | 'home'>,
  changes: readonly Change[],
): ApiVersion {
  return changes.reduce((version, change) => change(version), { ...newer, ...own })
}

/** Several changes under one name. */
export function all(...changes: readonly Change[]): Change {
  return (newer) => changes.reduce((version, change) => change(version), newer)
}

/** The door to an operation differed in what `alter` answers. */
export function altered<Input, Output>(
  operation: Operation<Input, Output>,
  alter: (newer: Door<Input, Output>) => Partial<Door<Input, Output>>,
): Change {
  return withDoors((doors) => {
    assertSome(doors, (door) => door.operation === operation)
    return doors.map((door) => (door.operation === operation ? { ...door, ...alter(door) } : door))
  })
}

/** The operation was always told this. */
export function told<Input extends object, Output>(
  operation: Operation<Input, Output>,
  more: Partial<NoInfer<Input>>,
): Change {
  return altered(operation, ({ decode }) => ({ decode: (request) => ({ ...decode(request), ...more }) }))
}

/** No other query parameters were known. */
export function knowing<Input, Output>(operation: Operation<Input, Output>, params: readonly string[]): Change {
  const seen = (request: DoorRequest) => ({ ...request, query: only(request.query, params) })
  return altered(operation, ({ decode, encode, query = {} }) => ({
    query: Object.fromEntries(Object.entries(query).filter(([name]) => params.includes(name))) as QuerySchema,
    decode: (request) => decode(seen(request)),
    encode: (output, request) => encode(output, seen(request)),
  }))
}

/** The description of the API said something else of the operation. */
export function described<Input, Output>(
  operation: Operation<Input, Output>,
  restate: (newer: DoorDoc, context: DocContext) => DoorDoc,
): Change {
  return altered(operation, ({ describe }) => ({ describe: (context) => restate(describe(context), context) }))
}

/** Answers were made of something else. */
export function shaped(name: keyof AnswerSchemas, reshape: (newer: JsonSchema) => JsonSchema): Change {
  return (version) => ({
    ...version,
    schemas(prefix) {
      const newer = version.schemas(prefix)
      return { ...newer, [name]: reshape(newer[name]) }
    },
  })
}

/** There were no such doors. */
export function removed(isOne: (door: AnyDoor) => boolean): Change {
  return withDoors((doors) => {
    assertSome(doors, isOne)
    return doors.filter((door) => !isOne(door))
  })
}

/** There were these doors. */
export function added(...more: readonly AnyDoor[]): Change {
  return withDoors((doors) => [...doors, ...more])
}

function withDoors(change: (newer: readonly AnyDoor[]) => readonly AnyDoor[]): Change {
  return (newer) => ({ ...newer, doors: change(newer.doors) })
}

/** A change that changes nothing was meant for something else. */
function assertSome(doors: readonly AnyDoor[], isOne: (door: AnyDoor) => boolean): void {
  if (!doors.some(isOne)) throw new Error('a change to the API finds nothing to change')
}
