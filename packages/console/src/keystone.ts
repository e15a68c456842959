/** Signing in through the service, which hands these requests on to its Keystone: pages may talk to no other origin. */
import { text } from './text.ts'

interface Project {
  readonly id: string
  readonly name: string
}

export interface Account {
  /** Of no project yet. */
  readonly token: string
  /** In which the account may work. */
  readonly projects: readonly Project[]
}

/** What Keystone takes as proof of who somebody is. */
export type Proof =
  | { readonly password: { readonly user: string; readonly domain: string; readonly password: string } }
  | { readonly token: string }

/** Keystone said no, or nothing. */
class SignInError extends Error {}

/** @throws SignInError */
export async function signIn(base: string, proof: Proof): Promise<Account> {
  const answer = await ask(`${base}/v3/auth/tokens`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ auth: { identity: identityOf(proof), scope: 'unscoped' } }),
  })
  const token = answer.headers.get('x-subject-token')
  if (token === null) throw new SignInError(text.signIn.noToken)
  return { token, projects: await projectsOf(base, token) }
}

/** Takes tokens back, so that nobody can use them any more. One that was made with another one does not go with that. */
export async function signOut(base: string, tokens: Iterable<string>): Promise<void> {
  const url = `${base}/v3/auth/tokens`
  const end = (token: string) =>
    fetch(url, { method: 'DELETE', headers: { 'X-Auth-Token': token, 'X-Subject-Token': token }, keepalive: true })
  await Promise.allSettled(Array.from(tokens, end))
}

async function projectsOf(base: string, token: string): Promise<Project[]> {
  const answer = await ask(`${base}/v3/auth/projects`, { headers: { 'X-Auth-Token': token } })
  const { projects } = (await answer.json()) as { projects: Project[] }
  return projects.map(({ id, name }) => ({ id, name })).sort((a, b) => (a.name < b.name ? -1 : 1))
}

function identityOf(proof: Proof): object {
  if ('token' in proof) return { methods: ['token'], token: { id: proof.token } }
  const { user, domain, password } = proof.password
  return { methods: ['password'], password: { user: { name: user, domain: { name: domain }, password } } }
}

async function ask(url: string, init: RequestInit): Promise<Response> {
  const answer = await fetch(url, init).catch((cause) => {
    throw new SignInError(text.contact.lost, { cause })
  })
  if (answer.ok) return answer
  const reason = await reasonIn(answer)
  throw new SignInError(answer.status < 500 ? text.signIn.refused(reason) : reason)
}

async function reasonIn(answer: Response): Promise<string> {
  try {
    const { error, title, description } = await answer.json()
    return error?.message ?? [title, description].filter(Boolean).join(': ')
  } catch {
    return text.signIn.answered(answer.status)
  }
}
