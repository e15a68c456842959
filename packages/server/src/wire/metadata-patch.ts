import type { MetadataChange } from '../core/rules/metadata-patch.ts'
import { isObject, printJson } from '../model/json.ts'
import type { Json } from '../model/model.ts'
import { readDocument } from './body.ts'
import type { RequestBody } from './door.ts'
import { invalidBody, WireError } from './wire-error.ts'

const PATCH_TYPE = 'application/openstack-messaging-v2.0-json-patch'
const OPS = ['add', 'remove', 'replace']

/**
 * The changes that a PATCH on queue metadata asks for, whether or not they can be made. (contract http.md 5.1, 5.2)
 * @throws WireError 415, or 400 `Invalid request body`
 */
export function readPatch(body: RequestBody, contentType: string | undefined): MetadataChange[] {
  if (contentType?.split(';')[0]?.trim().toLowerCase() !== PATCH_TYPE) {
    throw new WireError(
      415,
      '415 Unsupported Media Type',
      `Accepted media type for PATCH: ${PATCH_TYPE}; see the header Accept-Patch.`,
      { 'Accept-Patch': PATCH_TYPE },
    )
  }
  if (!body.bytes) throw invalidBody('Request body can not be empty')
  const document = readDocument(body)
  if (!Array.isArray(document)) throw invalidBody('The request body must be a JSON array, which is a JSON patch.')
  return document.map(readChange)
}

function readChange(change: Json): MetadataChange {
  if (!isObject(change)) {
    throw invalidBody('Operations must be JSON objects.')
  }
  const { op, path, value } = change
  if (typeof op !== 'string' || !OPS.includes(op)) {
    throw invalidBody(`Invalid operation: ${printJson(op ?? null)}. It must be one of: ${OPS.join(', ')}.`)
  }
  if (typeof path !== 'string') throw invalidBody(`Operation "${op}" requires a member named "path", a string.`)
  const key = readPointer(path)
  if (op === 'remove') return { op, key }
  if (value === undefined) throw invalidBody(`Operation "${op}" requires a member named "value".`)
  return { op: op as 'add' | 'replace', key, value }
}

/** The second token of a JSON pointer that has two, of which the first is `metadata`. */
function readPointer(path: string): string {
  const quoted = JSON.stringify(path)
  if (!path.startsWith('/')) throw invalidBody(`Invalid JSON pointer: ${quoted} does not start with "/".`)
  if (/\/\/|.\/$/.test(path)) throw invalidBody(`Invalid JSON pointer: ${quoted} has an empty part.`)
  if (/~(?![01])/.test(path)) throw invalidBody(`Invalid JSON pointer: ${quoted} has a "~" that is not "~0" or "~1".`)
  const [first, key, ...more] = path
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~').trim())
  if (first?.toLowerCase() !== 'metadata' || key === undefined || key === '' || more.length > 0) {
    throw invalidBody(`Invalid path: ${quoted}. Only "/metadata/KEY" can be changed.`)
  }
  return key
}
