import { CONFIRMATION_PAGE } from '../core/rules/confirmation-paths.ts'
import type { Limits } from '../core/rules/limits.ts'
import { asyncApi } from './asyncapi/document.ts'
import type { AsyncApi } from './asyncapi/types.ts'
import { confirmationPage, confirmationPageHeaders } from './confirmation-page.ts'
import { openApi } from './openapi/document.ts'
import { errorResponses, headlessErrors } from './openapi/errors.ts'
import { describeDocument } from './openapi/home-path.ts'
import { type JsonSchema, ref } from './openapi/json-schema.ts'
import { openApiPage } from './openapi/page.ts'
import type { OpenApi, OpenApiOperation } from './openapi/types.ts'
import { madeOnce, type StaticDocument } from './static-document.ts'
import { type ApiVersion, versionsDocument } from './versions.ts'
import { upstreamSchemas } from './websocket/doors/answer-docs.ts'
import { socketDoors } from './websocket/doors.ts'

/** A document for everybody: it belongs to no version, and asks for no headers and no token. */
export interface PublicDocument extends StaticDocument {
  readonly path: string
  readonly description: OpenApiOperation
}

const { 400: wrong, 406: notAcceptable } = errorResponses(headlessErrors) as Record<400 | 406, JsonSchema>

/** All of them: the list of the versions, their descriptions for programs and for people, and a page for subscribers. */
export function publicDocuments(versions: readonly ApiVersion[], limits: Limits): readonly PublicDocument[] {
  let made: OpenApi | undefined
  const api = () => {
    made ??= openApi(versions, pathsOf(documents), limits)
    return made
  }
  const documents: readonly PublicDocument[] = [
    {
      path: '/',
      status: 300,
      headers: { 'Content-Type': 'application/json' },
      bytes: madeOnce(() => versionsDocument(versions)),
      description: describeDocument(
        '/',
        'service.versions',
        'List the versions of the API',
        { status: 300, type: 'application/json', schema: ref('Versions') },
        { 400: wrong, 406: notAcceptable },
      ),
    },
    {
      path: '/openapi.json',
      status: 200,
      headers: { 'Content-Type': 'application/json' },
      bytes: madeOnce(() => JSON.stringify(api())),
      description: describeDocument(
        '/openapi.json',
        'service.openapi',
        'This document. Addition of this service.',
        { status: 200, type: 'application/json', schema: { type: 'object' } },
        { 400: wrong, 406: notAcceptable },
      ),
    },
    {
      path: '/asyncapi.json',
      status: 200,
      headers: { 'Content-Type': 'application/json' },
      bytes: madeOnce(() => JSON.stringify(socketApi(versions, limits))),
      description: describeDocument(
        '/asyncapi.json',
        'service.asyncapi',
        'What can be said over a WebSocket. Addition of this service.',
        { status: 200, type: 'application/json', schema: { type: 'object' } },
        { 400: wrong, 406: notAcceptable },
      ),
    },
    {
      path: '/docs',
      status: 200,
      headers: {
        'Content-Type': 'text/html; charset=utf-8',
        'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'",
      },
      bytes: madeOnce(() => openApiPage(api())),
      description: describeDocument(
        '/docs',
        'service.docs',
        'This document as a page. Addition of this service.',
        { status: 200, type: 'text/html', schema: { type: 'string' } },
        { 400: wrong },
      ),
    },
    {
      path: CONFIRMATION_PAGE,
      status: 200,
      headers: confirmationPageHeaders,
      bytes: madeOnce(() => confirmationPage),
      description: describeDocument(
        CONFIRMATION_PAGE,
        'service.confirmation_page',
        'The page that a mail of confirmation leads to. Addition of this service.',
        { status: 200, type: 'text/html', schema: { type: 'string' } },
        { 400: wrong },
      ),
    },
  ]
  return documents
}

/** Sockets speak the newest version. */
function socketApi(versions: readonly ApiVersion[], limits: Limits): AsyncApi {
  const newest = versions.at(-1) as ApiVersion
  const schemas = { ...newest.schemas(newest.prefix), ...upstreamSchemas }
  return asyncApi([...socketDoors(newest).values()], schemas, limits)
}

function pathsOf(documents: readonly PublicDocument[]): Record<string, Record<string, OpenApiOperation>> {
  return Object.fromEntries(documents.map(({ path, description }) => [path, { get: description }]))
}
