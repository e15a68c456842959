import { shareQueue } from '../../core/operations/queues/share-queue.ts'
import { integerOf } from '../../core/rules/integers.ts'
import { parseIsoTime } from '../../core/rules/iso-time.ts'
import { isObject, printJson } from '../../model/json.ts'
import type { Instant, Json } from '../../model/model.ts'
import { readObject } from '../body.ts'
import { type AnyDoor, door, ok } from '../door.ts'
import { invalidRequest } from '../wire-error.ts'
import { shareQueueDoc } from './share-docs.ts'

/** What of a queue can be shared. */
const SHAREABLE = ['messages', 'subscriptions', 'claims']
/** python-zaqarclient knows `project_id`; the project is the caller's, whatever it says. */
const KEYS = ['methods', 'paths', 'expires', 'project_id']

/** A pre-signed URL. (contract signed-urls.md 2) */
export const shareDoor: AnyDoor = door({
  method: 'POST',
  path: '/queues/:queue/share',
  operation: shareQueue,
  describe: shareQueueDoc,
  decode({ prefix, params, body }) {
    const document = readObject(body)
    const unknown = Object.keys(document).filter((key) => !KEYS.includes(key))
    if (unknown.length > 0) throw invalidRequest(`Unknown keys: ${asSet(unknown)}`)
    const resources = readPaths(document['paths'])
    return {
      methods: readMethods(document['methods']),
      paths: resources.map((resource) => `${prefix}/queues/${params['queue']}/${resource}`),
      expiresAt: readExpires(document['expires']),
    }
  },
  encode: ({ paths, methods, project, expires, signature }) =>
    ok(printJson({ paths: [...paths], methods: [...methods], project, expires, signature })),
})

function readMethods(given: Json | undefined): readonly string[] {
  if (isBlank(given)) return ['GET']
  if (!Array.isArray(given)) throw invalidRequest('`methods` should be a list')
  return given.map((method) => {
    if (typeof method === 'string') return method
    throw invalidRequest('`methods` should be a list of strings')
  })
}

function readPaths(given: Json | undefined): readonly string[] {
  if (isBlank(given)) return ['messages']
  // To upstream, a text is the set of its characters.
  const paths = typeof given === 'string' ? [...given] : given
  if (!Array.isArray(paths)) throw invalidRequest('`paths` should be a list')
  const invalid = paths.filter((path) => !SHAREABLE.includes(path as string))
  if (invalid.length > 0) throw invalidRequest(`Invalid paths: ${asSet(invalid)}`)
  return paths as string[]
}

function readExpires(given: Json | undefined): Instant | undefined {
  const isNumber = typeof given !== 'boolean' && integerOf(given) !== null
  if (isNumber || (typeof given === 'string' && /^\s*[+-]?\d+\s*$/.test(given))) {
    const example = '2016-01-01T00:00:00'
    throw invalidRequest(
      `\`expires\` should be date format, for example ${example}, not integer value: ${asText(given as Json)}`,
    )
  }
  if (isBlank(given)) return undefined
  const at = typeof given === 'string' ? parseIsoTime(given) : null
  if (at === null) throw invalidRequest(`Unable to parse date string '${asText(given as Json)}'`)
  return at
}

/** Whether Python takes the value for false; then the default stands in. */
function isBlank(given: Json | undefined): boolean {
  if (given === undefined || given === null || given === '' || given === false || given === 0) return true
  return Array.isArray(given) ? given.length === 0 : isObject(given) && Object.keys(given).length === 0
}

function asText(value: Json): string {
  return typeof value === 'string' ? value : printJson(value)
}

/** As Python prints a set. */
function asSet(values: readonly Json[]): string {
  const texts = new Set(values.map((value) => (typeof value === 'string' ? `'${value}'` : asText(value))))
  return `{${[...texts].sort().join(', ')}}`
}
