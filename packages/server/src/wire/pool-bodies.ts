import { isProjectId, LONGEST_PROJECT_ID } from '../core/rules/names.ts'
import type { JsonObject } from '../model/model.ts'
import { readDocument } from './body.ts'
import type { DoorRequest, RequestBody } from './door.ts'
import { invalidBody, invalidRequest } from './wire-error.ts'

/**
 * The object of a PUT or PATCH of pools and flavors, which is always required. (contract http.md 3.11.1)
 * @throws WireError 400 `Invalid request body`
 */
export function readPoolObject(body: RequestBody): JsonObject {
  const document = readDocument(body, 'JSON could not be parsed.')
  if (Array.isArray(document)) throw invalidBody('The request body must be a JSON object.')
  return document
}

/** A text without control characters and halves of surrogate pairs, which not every engine can keep. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const plainText = /^[^\u0000-\u001f\ud800-\udfff]*$/u
/** The same, as a pattern for schemas. */
export const PLAIN_TEXT = plainText.source

/** Characters. Upstream bounds the name of the flavor that a pool may have. (contract http.md 4.2) */
export const LONGEST_POOL_NAME = 255

/**
 * The pool or flavor that a path names.
 * @throws WireError 400 `Invalid API request`, also when the id of the project is too long
 */
export function namedInPath(param: 'pool' | 'flavor', { params, caller }: DoorRequest): string {
  if (!isProjectId(caller.project)) {
    throw invalidRequest(`The project id may have at most ${LONGEST_PROJECT_ID} characters.`)
  }
  return readPoolName(params[param] as string)
}

/** @throws WireError 400 `Invalid API request` */
export function readPoolName(name: string): string {
  if (name.length <= LONGEST_POOL_NAME && plainText.test(name)) return name
  throw invalidRequest(
    `The names of pools and flavors have at most ${LONGEST_POOL_NAME} characters, and no control characters.`,
  )
}
