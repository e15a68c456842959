import type { Limits } from '../../core/rules/limits.ts'
import { madeOnce, type StaticDocument } from '../static-document.ts'
import { openApi } from './document.ts'
import { openApiPage } from './page.ts'
import type { DescribedVersion, OpenApi } from './types.ts'

/** The description of the versions, for programs and for people, by path. */
export function describedApi(
  versions: readonly DescribedVersion[],
  limits: Limits,
): ReadonlyMap<string, StaticDocument> {
  let made: OpenApi | undefined
  const document = () => {
    made ??= openApi(versions, limits)
    return made
  }
  return new Map<string, StaticDocument>([
    [
      '/openapi.json',
      {
        status: 200,
        headers: { 'Content-Type': 'application/json' },
        bytes: madeOnce(() => JSON.stringify(document())),
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
        bytes: madeOnce(() => openApiPage(document())),
      },
    ],
  ])
}
