/** The value of a parameter in a link; undefined ones are left out. */
type LinkValue = string | number | boolean | undefined

/**
 * The `links` of a page. `params` are the parameters as they were understood, in the order of the route. `marker`
 * stands before them when the request had one, and behind them when it had not; `last` come last. (contract http.md
 * 1.14)
 */
export function nextLink(
  path: string,
  params: readonly (readonly [name: string, value: LinkValue])[],
  marker: { readonly given: boolean; readonly next: string | null },
  last: typeof params = [],
): string {
  if (marker.next === null) return '[]'
  const next = ['marker', marker.next] as const
  const ordered = [...(marker.given ? [next, ...params] : [...params, next]), ...last]
  const query = ordered
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`)
    .join('&')
  return `[{"rel": "next", "href": ${JSON.stringify(`${path}?${query}`)}}]`
}
