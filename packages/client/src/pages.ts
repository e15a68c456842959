import { type Answer, type CallOptions, memberOf, type Requests } from './requests.ts'

/** Everything that a listing shows, page by page. */
export async function* pagesOf<Item>(
  requests: Requests,
  { path, query, key }: { path: string; query: Record<string, string | number | boolean | undefined>; key: string },
  options: CallOptions,
): AsyncGenerator<Item, void> {
  let next: Record<string, string | number | boolean | undefined> = query
  for (;;) {
    const answer = await requests.send({ method: 'GET', path, query: next, isRepeatable: true, ...options })
    const items = memberOf<Item[]>(answer, key)
    yield* items
    const marker = markerIn(answer)
    if (items.length === 0 || marker === null) return
    next = { ...query, marker }
  }
}

/** Where the page behind this one begins; null: nothing is said of it. */
export function markerIn({ document }: Answer): string | null {
  const next = document?.links?.find(({ rel }: { rel: string }) => rel === 'next')
  return next === undefined ? null : new URL(next.href, 'http://service').searchParams.get('marker')
}
