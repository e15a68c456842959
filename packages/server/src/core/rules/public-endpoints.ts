/** Where subscribers reach the service, fit to have a path put behind it; null where nobody has said. */
export interface PublicEndpoints {
  readonly http: string | null
  readonly webSocket: string | null
}

/** The endpoint without what paths of ours begin with: catalogues name it with a version and without. */
export function endpointBase(url: string): string {
  return url.replace(/(\/v\d(\.\d)?)?\/*$/, '')
}
