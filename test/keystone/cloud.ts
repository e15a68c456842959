import { Keystone, projectNamed } from './keystone.ts'

/** A Keystone with the service user of Zaqar, two projects, and people in them. */
export interface Cloud {
  readonly keystone: Keystone
  /** Ids by name. */
  readonly roles: ReadonlyMap<string, string>
  readonly projects: { readonly red: string; readonly blue: string }
  /** A token of a person for a project of that person: always the same one. */
  token(person: Person, project: 'red' | 'blue'): Promise<string>
  newToken(person: Person, project: 'red' | 'blue'): Promise<string>
  /** Says in the catalogue where messaging is to be found. */
  announce(url: string): Promise<void>
}

/**
 * Rita and Bob work each in a project of their own; Ada administrates the red one; Sam is a service; Pat will be
 * dismissed.
 */
const people = {
  rita: { red: 'member' },
  bob: { blue: 'member' },
  rex: { red: 'reader' },
  ada: { red: 'admin' },
  pat: { red: 'member' },
  sam: { red: 'service' },
} as const
type Person = keyof typeof people

export const PASSWORD = 'secret'

export async function startCloud(): Promise<Cloud> {
  const keystone = await Keystone.start()
  try {
    return await populate(keystone)
  } catch (error) {
    await keystone.destroy()
    throw error
  }
}

async function populate(keystone: Keystone): Promise<Cloud> {
  const admin = await keystone.adminToken()
  const create = async (path: string, noun: string, fields: object): Promise<string> =>
    (await keystone.ask(admin, 'POST', path, { [noun]: fields }))[noun].id
  const named = await keystone.ask(admin, 'GET', '/roles')
  const roles = new Map<string, string>(named.roles.map(({ name, id }: { name: string; id: string }) => [name, id]))
  for (const name of ['service', 'producer']) {
    if (!roles.has(name)) roles.set(name, await create('/roles', 'role', { name }))
  }
  const [red, blue, service] = [
    await create('/projects', 'project', { name: 'red' }),
    await create('/projects', 'project', { name: 'blue' }),
    await create('/projects', 'project', { name: 'service' }),
  ]
  const projects = { red, blue, service }
  const grant = (user: string, project: string, role: string) =>
    keystone.ask(admin, 'PUT', `/projects/${project}/users/${user}/roles/${roles.get(role)}`)
  await grant(await create('/users', 'user', { name: 'zaqar', password: PASSWORD }), service, 'admin')
  for (const [name, memberships] of Object.entries(people)) {
    const user = await create('/users', 'user', { name, password: PASSWORD })
    for (const [project, role] of Object.entries(memberships)) await grant(user, projects[project as 'red'], role)
  }
  const tokens = new Map<string, Promise<string>>()
  const newToken = (person: Person, project: string) =>
    keystone.token(Keystone.password(person, PASSWORD, projectNamed(project)))
  return {
    keystone,
    roles,
    projects,
    newToken,
    token(person, project) {
      const token = tokens.get(`${person} ${project}`) ?? newToken(person, project)
      tokens.set(`${person} ${project}`, token)
      return token
    },
    async announce(url) {
      const id = await create('/services', 'service', { name: 'zaqar', type: 'messaging' })
      await create('/endpoints', 'endpoint', { service_id: id, interface: 'public', url })
    },
  }
}

/** What `[keystone_authtoken]` of an existing installation says. */
export function authtoken({ keystone }: Cloud, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    www_authenticate_uri: 'https://keystone.example.org',
    auth_url: keystone.url,
    auth_type: 'password',
    username: 'zaqar',
    password: PASSWORD,
    user_domain_name: 'Default',
    project_name: 'service',
    project_domain_name: 'Default',
    ...more,
  }
}

/** The same as environment variables. */
export function asVariables(options: Readonly<Record<string, string>>): Record<string, string> {
  const variables = Object.entries(options).map(([name, value]) => [
    `OS_KEYSTONE_AUTHTOKEN__${name.toUpperCase()}`,
    value,
  ])
  return { OS_DEFAULT__AUTH_STRATEGY: 'keystone', ...Object.fromEntries(variables) }
}
