/** Where a request is for, whichever form it was written in. */
export interface Target {
  /** Path and query. */
  readonly target: string
  /** Of the address, where the request line names one: it stands for the Host header then (RFC 9112, 3.2.2). */
  readonly authority: string | null
}

/** An absolute address, as proxies get it. Its length is bounded by that of the head. */
const ABSOLUTE = /^https?:\/\/([^/?#]*)/i

export function readTarget(written: string): Target {
  const absolute = written.startsWith('/') ? null : ABSOLUTE.exec(written)
  if (absolute === null) return { target: written, authority: null }
  const [address, authority = ''] = absolute
  const rest = written.slice(address.length)
  return { target: rest.startsWith('/') ? rest : `/${rest}`, authority }
}

/** The query is empty where there is none. */
export function splitTarget(target: string): [path: string, query: string] {
  const mark = target.indexOf('?')
  return mark < 0 ? [target, ''] : [target.slice(0, mark), target.slice(mark + 1)]
}
