/** Whoever makes a trust, as Keystone says of his token. */
export interface Trustor {
  readonly userId: string
  readonly projectId: string
  /** Ids. */
  readonly roles: readonly string[]
  /** Of the services in his catalogue: scheme, host and port of each of their addresses. */
  readonly origins: ReadonlySet<string>
}

interface Document {
  readonly token?: {
    readonly user?: { readonly id?: string }
    readonly project?: { readonly id?: string }
    readonly roles?: readonly { readonly id: string }[]
    readonly catalog?: readonly { readonly endpoints?: readonly { readonly url?: string }[] }[]
  }
}

/** The answer of `GET /v3/auth/tokens`. Null when the token is for no project, or this is no such answer. */
export function readTrustor(text: string): Trustor | null {
  let token: Document['token']
  try {
    token = (JSON.parse(text) as Document | null)?.token
  } catch {
    return null
  }
  const userId = token?.user?.id
  const projectId = token?.project?.id
  if (userId === undefined || projectId === undefined) return null
  const endpoints = token?.catalog?.flatMap((service) => service.endpoints ?? []) ?? []
  const origins = endpoints.map(({ url }) => originOf(url ?? '')).filter((origin) => origin !== null)
  return { userId, projectId, roles: token?.roles?.map(({ id }) => id) ?? [], origins: new Set(origins) }
}

/** Null of what is no address of HTTP: such have no origin of their own. */
function originOf(url: string): string | null {
  const parsed = URL.parse(url)
  return parsed !== null && /^https?:$/.test(parsed.protocol) ? parsed.origin : null
}
