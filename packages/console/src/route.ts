import { useEffect, useState } from 'preact/hooks'

/** Where a page stands behind the `#` of the address, so that the service needs to know of one page only. */
export interface Route {
  /** Parts of the path, decoded; none: the first page. */
  readonly path: readonly string[]
  readonly query: URLSearchParams
  /** Another number each time that somebody goes to a page, be it the same one. */
  readonly visit: number
}

/** The address of a page, for a link. Parts may hold anything. */
export function hrefOf(path: readonly string[], query: Readonly<Record<string, string>> = {}): string {
  const rest = new URLSearchParams(query).toString()
  return `#/${path.map(encodeURIComponent).join('/')}${rest === '' ? '' : `?${rest}`}`
}

export function go(path: readonly string[], query: Readonly<Record<string, string>> = {}): void {
  location.hash = hrefOf(path, query)
}

/** Writes into the address how a page stands, so that it is found so again: by who goes back, or loads it again. */
export function keep({ path }: Route, query: Readonly<Record<string, string>>): void {
  // Somebody may be on the way to another page already.
  if (routeIn(location.hash, 0).path.join('/') === path.join('/')) history.replaceState(null, '', hrefOf(path, query))
}

/** The page that is shown now; the component is drawn again when it changes. */
export function useRoute(): Route {
  const [route, setRoute] = useState(() => routeIn(location.hash, 0))
  useEffect(() => {
    const read = () => setRoute(({ visit }) => routeIn(location.hash, visit + 1))
    addEventListener('hashchange', read)
    return () => removeEventListener('hashchange', read)
  }, [])
  return route
}

function routeIn(hash: string, visit: number): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2)
  return { path: path === '' ? [] : path.split('/').map(decode), query: new URLSearchParams(query), visit }
}

/** What somebody has typed may be no escape at all. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
