import type { Limits } from '../../core/rules/limits.ts'
import type { StaticDocument } from '../static-document.ts'
import type { ApiVersion } from '../versions.ts'
import { type OpenApi, openApi } from './document.ts'
import { openApiPage } from './page.ts'

/** The description of the versions, for programs and for people, by path. */
export function describedApi(versions: readonly ApiVersion[], limits: Limits): ReadonlyMap<string, StaticDocument> {
  const document = once<OpenApi>(() => openApi(versions, limits))
  return new Map<string, StaticDocument>([
    [
      '/openapi.json',
      {
        status: 200,
        headers: { 'Content-Type': 'application/json' },
        text: once(() => JSON.stringify(document())),
      },
    ],
    [
      '/docs',
      {
        status: 200,
        headers: {
          'Content-Type': 'text/html; charset=utf-8',
          'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'",
        },
        text: once(() => openApiPage(document())),
      },
    ],
  ])
}

function once<T>(make: () => T): () => T {
  let made: T | undefined
  return () => {
    made ??= make()
    return made
  }
}
