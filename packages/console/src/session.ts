import { Forbidden, type KeystoneAuth, NotFound, type SignedUrl, Zaqar, type ZaqarOptions } from 'zaqar-client'
import { parseExact } from './exact-json.ts'
import { signOut } from './keystone.ts'
import { type May, mayWhatIsSigned, mayWhatPolicyLets } from './rights.ts'
import { text } from './text.ts'

/** What the service says of itself before anybody is known to it. */
export interface Settings {
  /** How people sign in: with Keystone, or not at all. */
  readonly signIn: 'keystone' | 'none'
  /** The least and the most that it takes. Times in seconds. */
  readonly limits: Readonly<Record<Limit, readonly [least: number, most: number]>>
}

export type Limit =
  | 'ttl'
  | 'delay'
  | 'claimTtl'
  | 'claimGrace'
  | 'claimed'
  | 'postBytes'
  | 'queuesOfPage'
  | 'messagesOfPage'

/** Somebody at work. It lives in the memory of the page: to load the page again is to sign in again. */
export interface Session extends SignedIn {
  readonly limits: Settings['limits']
}

export interface SignedIn {
  readonly zaqar: Zaqar
  /** As people know it: the name of the project. */
  readonly project: string
  /** Null: everything of the project. Otherwise one queue, and what its signed URL allows. */
  readonly shared: { readonly queue: string; readonly signed: SignedUrl } | null
  readonly may: May
  /** When it ends at the latest, in milliseconds since 1970; null: the service tells. */
  readonly endsAt: number | null
  leave(): void
}

/** Address of the service, without a slash at its end: the console lies one level below it. */
export const SERVICE = new URL('..', document.baseURI).href.replace(/\/$/, '')
export const KEYSTONE = `${SERVICE}/console/keystone`

/** @throws what `fetch` throws */
export async function readSettings(): Promise<Settings> {
  const answer = await fetch(new URL('settings.json', document.baseURI))
  if (!answer.ok) throw new Error(text.noAnswer(answer.status))
  return answer.json()
}

/**
 * Without authentication a project is a name, and whoever is there says which roles they have.
 *
 * @throws Error with a sentence for people
 */
export async function openProject(project: string, roles: string): Promise<SignedIn> {
  // A header of HTTP holds no others.
  if (/[^ -\xff]/.test(project + roles)) throw new Error(text.signIn.unsendable)
  const fetch: typeof globalThis.fetch = (url, init) => {
    const headers = new Headers(init?.headers)
    headers.set('X-Roles', roles)
    return globalThis.fetch(url, { ...init, headers })
  }
  return open({ project, fetch }, project)
}

export function openWithToken(token: string, project: { readonly id: string; readonly name: string }) {
  return openWithKeystone({ token, project: { id: project.id } }, project.name, [token])
}

/** An application credential is of one project, and its own name says enough. */
export function openWithCredential(id: string, secret: string): Promise<SignedIn> {
  return openWithKeystone({ applicationCredential: { id, secret } }, id)
}

/** To leave takes back `tokens`, and all that Keystone gives on the way. */
function openWithKeystone(auth: Omit<KeystoneAuth, 'authUrl'>, project: string, tokens: string[] = []) {
  const given = new Set(tokens)
  const fetch: typeof globalThis.fetch = async (url, init) => {
    const answer = await globalThis.fetch(url, init)
    const token = answer.headers.get('x-subject-token')
    if (token !== null) given.add(token)
    return answer
  }
  const keystone = { authUrl: KEYSTONE, ...auth }
  return open({ auth: { keystone }, fetch }, project, () => void signOut(KEYSTONE, given))
}

/** Values of a signed URL are for one queue. @throws Error with a sentence for people */
export async function openShared(signed: SignedUrl): Promise<SignedIn> {
  const [, queue] = /\/queues\/([^/]+)\/[a-z]+$/.exec(signed.paths[0] ?? '') ?? []
  if (queue === undefined) throw new Error(text.signIn.notSigned)
  const zaqar = client({ auth: { signed } })
  const may = mayWhatIsSigned(signed)
  try {
    if (may('messages:get_all')) await zaqar.queue(queue).list({ limit: 1 })
  } catch (error) {
    if (error instanceof NotFound || error instanceof Forbidden) throw new Error(text.signIn.notTaken)
    throw error
  }
  const endsAt = Date.parse(`${signed.expires}Z`)
  const { project } = signed
  return { zaqar, project, shared: { queue, signed }, may, endsAt, leave: () => zaqar.close() }
}

/** @throws ZaqarError when the service does not take these credentials */
async function open(options: Omit<ZaqarOptions, 'url'>, project: string, left = () => {}): Promise<SignedIn> {
  const zaqar = client(options)
  const leave = () => {
    zaqar.close()
    left()
  }
  // The first question shows whether the credentials are good.
  const may = await zaqar.permissions().then(mayWhatPolicyLets, (error): May => {
    // Where that is a secret, each request tells.
    if (error instanceof Forbidden) return () => true
    leave()
    throw error
  })
  return { zaqar, project, shared: null, may, endsAt: null, leave }
}

function client(options: Omit<ZaqarOptions, 'url'>): Zaqar {
  return new Zaqar({ url: SERVICE, retries: 1, parse: parseExact, ...options })
}
