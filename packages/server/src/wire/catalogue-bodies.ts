import type { JsonObject } from '../core/model/model.ts'
import { readDocument } from './body.ts'
import type { RequestBody } from './door.ts'
import { invalidBody, invalidRequest } from './refusal.ts'

/**
 * The object of a PUT or PATCH of pools and flavors, which is always required. (contract http.md 3.11.1)
 * @throws Refusal 400 `Invalid request body`
 */
export function readCatalogueObject(body: RequestBody): JsonObject {
  const document = readDocument(body, 'JSON could not be parsed.')
  if (Array.isArray(document)) throw invalidBody('The request body must be a JSON object.')
  return document
}

/**
 * The name of a pool or flavor. It may hold anything but control characters, which not every engine can keep.
 * @throws Refusal 400 `Invalid API request`
 */
export function readCatalogueName(name: string | undefined): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  if (name === undefined || /[\u0000-\u001f]/.test(name)) {
    throw invalidRequest('The names of pools and flavors hold no control characters.')
  }
  return name
}

/** As a pattern of schemas: a text without control characters. */
export const PLAIN_TEXT = '^[^\\u0000-\\u001f]*$'
