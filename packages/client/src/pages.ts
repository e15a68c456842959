import { type Answer, type CallOptions, memberOf, type Requests } from './requests.ts'

/** Everything that a listing shows, page by page. */
export async function* pagesOf<Item extends { readonly name: string } | { readonly id: string }>(
  requests: Requests,
  { path, query, key }: { path: string; query: Record<string, string | number | boolean | undefined>; key: string },
  options: CallOptions,
): AsyncGenerator<Item, void> {
  let next: Record<string, string | number | boolean | undefined> = query
  for (;;) {
    const answer = await requests.send({ method: 'GET', path, query: next, isRepeatable: true, ...options })
    const listed = memberOf<Item[]>(answer, key)
    // Behind the first item upstream's Redis shows that one again.
    const items = listed[0] !== undefined && nameOf(listed[0]) === next['marker'] ? listed.slice(1) : listed
    yield* items
    const marker = markerIn(answer)
    if (items.length === 0 || marker === null) return
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
