/** Where subscribers reach the service, fit to have a path put behind it; null where nobody has said. */
export interface PublicEndpoints {
  readonly http: string | null
  readonly webSocket: string | null
}

/** The endpoint without what paths of ours begin with: catalogues name it with a version and without. */
export function endpointBase(url: string): string {
  const base = withoutSlashes(url)
  const version = /\/v\d(\.\d)?$/.exec(base)
  return version === null ? base : withoutSlashes(base.slice(0, version.index))
}

function withoutSlashes(url: string): string {
  let end = url.length
  while (url.charAt(end - 1) === '/') end -= 1
  return url.slice(0, end)
}
