import type { OpenApiOperation } from './document.ts'
import { type JsonSchema, ref } from './door-doc.ts'
import { errorResponses } from './errors.ts'
import { callerRefs } from './parameters.ts'

/** The documents that are the same for everybody. Those about the API ask for no headers and no token. */
export function ownPaths(prefix: string): Record<string, Record<string, OpenApiOperation>> {
  const { 400: wrong, 406: notAcceptable } = errorResponses([])
  const errors = { 400: wrong as JsonSchema, 406: notAcceptable as JsonSchema }
  const home = document(`${prefix}/`, 'service.home', 'List the resources of this version', {
    status: 200,
    type: 'application/json-home',
    schema: ref('HomeDocument'),
  })
  return {
    '/': {
      get: document(
        '/',
        'service.versions',
        'List the versions of the API',
        { status: 300, type: 'application/json', schema: ref('Versions') },
        errors,
      ),
    },
    [`${prefix}/`]: {
      get: { ...home, parameters: callerRefs, responses: { ...home.responses, ...errorResponses([]) } },
    },
    '/openapi.json': {
      get: document(
        '/openapi.json',
        'service.openapi',
        'This document. Addition of this service.',
        { status: 200, type: 'application/json', schema: { type: 'object' } },
        errors,
      ),
    },
    '/docs': {
      get: document(
        '/docs',
        'service.docs',
        'This document as a page. Addition of this service.',
        { status: 200, type: 'text/html', schema: { type: 'string' } },
        { 400: errors[400] },
      ),
    },
  }
}

function document(
  path: string,
  operationId: string,
  summary: string,
  { status, type, schema }: { readonly status: number; readonly type: string; readonly schema: JsonSchema },
  errors: Readonly<Record<number, JsonSchema>> = {},
): OpenApiOperation {
  return {
    operationId,
    tags: ['service'],
    summary,
    responses: { [status]: { description: 'The document.', content: { [type]: { schema } } }, ...errors },
    'x-examples': [{ name: 'get', request: { method: 'GET', path }, answer: { status } }],
  }
}
