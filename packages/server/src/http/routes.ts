import createRouter from 'find-my-way'
import type { AnyDoor, Method } from '../wire/door.ts'
import { homeDocument } from '../wire/home-documents/home-document.ts'
import type { PublicDocument } from '../wire/public-documents.ts'
import { madeOnce, type StaticDocument } from '../wire/static-document.ts'
import type { ApiVersion } from '../wire/versions.ts'

/** What is served at a path. */
export interface Route {
  /** Null for a public document, which belongs to none. */
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

export interface Routes {
  /**
   * By path alone: a request with a wrong method is still told first what is wrong with its headers. (contract http.md
   * 1.2)
   */
  find(path: string): Match | null
  /** Whether a public document is served at the path, so that nobody is asked who they are. */
  isPublic(path: string): boolean
}

/** Longer than any header lets a request line be. */
const LONGEST_PART = 100_000

export function createRoutes(versions: readonly ApiVersion[], documents: readonly PublicDocument[]): Routes {
  const routes = new Map<string, Route>()
  for (const document of documents) routes.set(document.path, documentRoute(null, document))
  for (const version of versions) {
    routes.set(`${version.prefix}/`, documentRoute(version, home(version)))
    for (const [path, doors] of Map.groupBy(version.doors, (door) => `${version.prefix}${door.path}`)) {
      const byMethod = Map.groupBy(doors, (door) => door.method)
      routes.set(path, { version, document: null, doors: byMethod, methods: [...byMethod.keys()].sort() })
    }
  }
  const router = createRouter({ maxParamLength: LONGEST_PART })
  for (const [path, route] of routes) router.on('GET', path, () => {}, route)
  const publicPaths = new Set(documents.map(({ path }) => path))
  return {
    find(path) {
      const found = router.find('GET', path)
      return found && { route: found.store as Route, params: found.params as Record<string, string> }
    },
    isPublic: (path) => publicPaths.has(path),
  }
}

function documentRoute(version: ApiVersion | null, document: StaticDocument): Route {
  return { version, document, doors: new Map(), methods: ['GET'] }
}

function home({ prefix, home }: ApiVersion): StaticDocument {
  const bytes = madeOnce(() => homeDocument(prefix, home))
  const headers = { 'Content-Type': 'application/json-home', 'Cache-Control': 'max-age=86400' }
  return { status: 200, headers, bytes }
}
