import createRouter from 'find-my-way'
import type { AnyDoor, Method } from '../wire/door.ts'
import { homeDocument } from '../wire/home-documents/home-document.ts'
import { madeOnce, type StaticDocument } from '../wire/static-document.ts'
import { type ApiVersion, versionsDocument } from '../wire/versions.ts'

/** What is served at a path. */
export interface Route {
  /** Null for what belongs to no version. */
  readonly version: ApiVersion | null
  /** Then there are no doors. */
  readonly document: StaticDocument | null
  readonly doors: ReadonlyMap<Method, readonly AnyDoor[]>
  /** As in `Allow`: alphabetical. */
  readonly methods: readonly string[]
}

export interface Match {
  readonly route: Route
  readonly params: Readonly<Record<string, string>>
}

export type FindRoute = (path: string) => Match | null

/** Longer than any header lets a request line be. */
const LONGEST_PART = 100_000

/** By path alone, `documents` those that belong to no version: a request with a wrong method is still told first what is wrong with its headers. (contract 1.2) */
export function createRoutes(
  versions: readonly ApiVersion[],
  documents: ReadonlyMap<string, StaticDocument>,
): FindRoute {
  const routes = new Map<string, Route>()
  routes.set('/', documentRoute(null, allVersions(versions)))
  for (const [path, document] of documents) routes.set(path, documentRoute(null, document))
  for (const version of versions) {
    routes.set(`${version.prefix}/`, documentRoute(version, home(version)))
    for (const [path, doors] of Map.groupBy(version.doors, (door) => `${version.prefix}${door.path}`)) {
      const byMethod = Map.groupBy(doors, (door) => door.method)
      routes.set(path, { version, document: null, doors: byMethod, methods: [...byMethod.keys()].sort() })
    }
  }
  const router = createRouter({ maxParamLength: LONGEST_PART })
  for (const [path, route] of routes) router.on('GET', path, () => {}, route)
  return (path) => {
    const found = router.find('GET', path)
    return found && { route: found.store as Route, params: found.params as Record<string, string> }
  }
}

function documentRoute(version: ApiVersion | null, document: StaticDocument): Route {
  return { version, document, doors: new Map(), methods: ['GET'] }
}

function allVersions(versions: readonly ApiVersion[]): StaticDocument {
  const bytes = madeOnce(() => versionsDocument(versions))
  return { status: 300, headers: { 'Content-Type': 'application/json' }, bytes }
}

function home({ prefix, home }: ApiVersion): StaticDocument {
  const bytes = madeOnce(() => homeDocument(prefix, home))
  const headers = { 'Content-Type': 'application/json-home', 'Cache-Control': 'max-age=86400' }
  return { status: 200, headers, bytes }
}
