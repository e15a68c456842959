import createRouter from 'find-my-way'
import type { AnyDoor, Method } from '../wire/door.ts'
import { homeDocument } from '../wire/home-documents/home-document.ts'
import type { ApiVersion } from '../wire/versions.ts'

/** What is served at a path. */
export interface Route {
  /** Null for the document of all versions. */
  readonly version: ApiVersion | null
  /** A document that is the same for everybody; then there are no doors. */
  readonly document: string | null
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

/** By path alone: a request with a wrong method is still told first what is wrong with its headers. (contract 1.2) */
export function createRoutes(versions: readonly ApiVersion[], versionsDocument: string): FindRoute {
  const routes = new Map<string, Route>()
  routes.set('/', documentRoute(null, versionsDocument))
  for (const version of versions) {
    routes.set(`${version.prefix}/`, documentRoute(version, homeDocument(version.prefix, version.home)))
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

function documentRoute(version: ApiVersion | null, document: string): Route {
  return { version, document, doors: new Map(), methods: ['GET'] }
}
