import { commonErrors, errorResponses, missingClientId, unauthorized } from './errors.ts'
import { type JsonSchema, ref } from './json-schema.ts'
import { callerRefs } from './parameters.ts'
import type { DescribedVersion, OpenApiOperation, Paths } from './types.ts'
import { deprecation, labelOf } from './version-paths.ts'

/** The home document of a version. It asks for the headers that every route of the version asks for. */
export function homePath(version: DescribedVersion): Paths {
  const { prefix, callers } = version
  const path = `${prefix}/`
  const home = describeDocument(path, 'service.home', 'List the resources of this version', {
    status: 200,
    type: 'application/json-home',
    schema: ref('HomeDocument'),
  })
  const errors = [...(callers.needsClientId ? [missingClientId] : []), ...commonErrors(callers)]
  return {
    [path]: {
      get: {
        ...home,
        operationId: `${labelOf(version)}.${home.operationId}`,
        tags: [`${labelOf(version)} service`],
        ...deprecation(version),
        parameters: callerRefs(callers),
        responses: { ...home.responses, ...errorResponses(errors), 401: unauthorized },
      },
    },
  }
}

/** The description of a document at a path. */
export function describeDocument(
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
