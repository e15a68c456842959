import { type Answer, type CallOptions, memberOf, type Requests } from './requests.ts'

type Query = Record<string, string | number | boolean | undefined>

interface Listing {
  readonly path: string
  readonly query: Query
  /** Of the answer, where the items are. */
  readonly key: string
  readonly withEmptyPages?: boolean
}

/**
 * Everything that a listing shows, page by page. `withEmptyPages`: of one where a page may be empty and have one behind
 * it; else an empty one is the last, for upstream links from there to itself.
 */
export async function* pagesOf<Item extends { readonly name: string } | { readonly id: string }>(
  requests: Requests,
  { path, query, key, withEmptyPages = false }: Listing,
  options: CallOptions,
): AsyncGenerator<Item, void> {
  let next: Query = query
  for (;;) {
    const answer = await requests.send({ method: 'GET', path, query: next, isRepeatable: true, ...options })
    const listed = memberOf<Item[]>(answer, key)
    // Behind the first item upstream's Redis shows that one again.
    const items = listed[0] !== undefined && nameOf(listed[0]) === next['marker'] ? listed.slice(1) : listed
    yield* items
    const marker = markerIn(answer)
    if (marker === null || (items.length === 0 && !withEmptyPages)) return
    next = { ...query, marker }
  }
}

function nameOf(item: { readonly name: string } | { readonly id: string }): string {
  return 'name' in item ? item.name : item.id
}

/** Where the page behind this one begins; null: nothing is said of it. */
export function markerIn({ document }: Answer): string | null {
  const next = document?.links?.find(({ rel }: { rel: string }) => rel === 'next')
  return next === undefined ? null : new URL(next.href, 'http://service').searchParams.get('marker')
}
