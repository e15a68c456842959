/** Application credentials of Keystone: what their rules admit. */

/** Requests to this service that an application credential may be used for. */
export interface AccessRule {
  readonly method: string
  /** `{name}` and `*` stand for a segment or a part of one, `**` for any text. */
  readonly path: string
}

/** Whether one of the rules admits the method, exactly as written, and the path. `path` is decoded and has no query. */
export function rulesCover(rules: readonly AccessRule[], method: string, path: string): boolean {
  return rules.some((rule) => rule.method === method && matches(path, rule.path))
}

/**
 * Follows all ways to read the pattern at once, so that the time is bounded by the product of both lengths: tenants
 * write patterns, and a regular expression made from one could take for ever.
 */
function matches(path: string, pattern: string): boolean {
  const parts = pattern.match(/\{[^}]*\}?|\*\*|\*|[^{*]+/g) ?? []
  let ends: ReadonlySet<number> = new Set([0])
  for (const part of parts) {
    if (ends.size === 0) return false
    if (part === '**') ends = from(Math.min(...ends), path.length)
    else if (part === '*' || (part.startsWith('{') && part.endsWith('}'))) ends = withinSegments(path, ends)
    else ends = new Set([...ends].filter((end) => path.startsWith(part, end)).map((end) => end + part.length))
  }
  return ends.has(path.length)
}

function from(first: number, last: number): Set<number> {
  return new Set(Array.from({ length: last - first + 1 }, (_, index) => first + index))
}

/** Where one or more characters of a segment may end that begin at one of the `starts`. */
function withinSegments(path: string, starts: ReadonlySet<number>): Set<number> {
  const ends = new Set<number>()
  let isOpen = false
  for (let index = 0; index < path.length; index++) {
    isOpen = (isOpen || starts.has(index)) && path[index] !== '/'
    if (isOpen) ends.add(index + 1)
  }
  return ends
}
