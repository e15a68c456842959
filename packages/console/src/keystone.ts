/** Signing in through the service, which hands these requests on to its Keystone: pages may talk to no other origin. */

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
  if (token === null) throw new SignInError('The answer has no token.')
  return { token, projects: await projectsOf(base, token) }
}

/** Takes back a token, so that nobody can use it any more. */
export async function signOut(base: string, token: string): Promise<void> {
  await fetch(`${base}/v3/auth/tokens`, {
    method: 'DELETE',
    headers: { 'X-Auth-Token': token, 'X-Subject-Token': token },
  }).catch(() => {})
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
    throw new SignInError('The service does not answer.', { cause })
  })
  if (answer.ok) return answer
  throw new SignInError(await reasonIn(answer))
}

async function reasonIn(answer: Response): Promise<string> {
  try {
    const { error, title, description } = await answer.json()
    return error?.message ?? [title, description].filter(Boolean).join(': ')
  } catch {
    return `Keystone answered ${answer.status}.`
  }
}
