import type { Entity, KeystoneAdmin } from './keystone-admin.ts'
import type { PasswordFile } from './password-file.ts'
import { RegistrationError } from './registration-error.ts'

/** What is to be in Keystone. Whatever is named by a name lies in the domain. */
export interface Wanted {
  readonly services: readonly WantedService[]
  /** Null: that in which Keystone itself is. */
  readonly region: string | null
  readonly domain: string
  readonly user: string
  readonly project: string
  readonly role: string
  readonly password: PasswordFile
}

export interface WantedService {
  readonly name: string
  readonly type: string
  readonly description: string
  readonly urls: Readonly<Record<'public' | 'internal' | 'admin', string>>
}

/** What was looked at, and how it is now. With `--dry-run` it is not yet. */
export interface Step {
  readonly what: string
  readonly outcome: 'there' | 'created' | 'changed'
}

export interface Registered {
  readonly steps: readonly Step[]
  /** Where clients reach Keystone; null where it does not say. */
  readonly keystoneUrl: string | null
}

/**
 * Brings about what is wanted and not there. What is there and fits stays as it is, so another time nothing changes.
 * `dryRun`: nothing changes at all.
 * @throws RegistrationError, ZaqarError
 */
export async function register(
  keystone: KeystoneAdmin,
  wanted: Wanted,
  { dryRun }: { readonly dryRun: boolean },
): Promise<Registered> {
  const registration = new Registration(keystone, dryRun)
  const domain = await registration.domain(wanted.domain)
  const own = await keystone.ownEndpoints()
  const region = await registration.region(
    wanted.region ?? own.find(({ region_id: id }) => id !== null)?.region_id ?? null,
  )
  const project = await registration.named('project', wanted.project, { domain_id: domain })
  const role = await registration.named('role', wanted.role, {})
  const user = await registration.user(wanted, domain)
  await registration.grant({ user, project, role }, wanted)
  for (const service of wanted.services) await registration.service(service, region)
  return {
    steps: registration.steps,
    keystoneUrl: own.find((endpoint) => endpoint.interface === 'public')?.url ?? null,
  }
}

/** Ids are null of what is not there yet, in a dry run. */
type Id = string | null

class Registration {
  readonly steps: Step[] = []
  readonly #keystone: KeystoneAdmin
  readonly #isDry: boolean

  constructor(keystone: KeystoneAdmin, isDry: boolean) {
    this.#keystone = keystone
    this.#isDry = isDry
  }

  async domain(name: string): Promise<string> {
    const [found] = await this.#keystone.list('/domains', { name })
    if (found === undefined) throw new RegistrationError(`Keystone has no domain ${name}`)
    return found.id
  }

  async region(id: Id): Promise<Id> {
    if (id === null) return null
    const isThere = await this.#keystone.has(`/regions/${encodeURIComponent(id)}`)
    if (isThere) this.#tell(`region ${id}`, 'there')
    else await this.#create(`region ${id}`, () => this.#keystone.create('/regions', 'region', { id }))
    return id
  }

  /** A project or a role. */
  async named(noun: 'project' | 'role', name: string, place: Readonly<Record<string, string>>): Promise<Id> {
    const what = `${noun} ${name}`
    const [found] = await this.#keystone.list(`/${noun}s`, { name, ...place })
    if (found === undefined) {
      return this.#create(what, () => this.#keystone.create(`/${noun}s`, noun, { name, ...place }))
    }
    this.#tell(what, 'there')
    return found.id
  }

  async user({ user: name, password: file }: Wanted, domain: string): Promise<Id> {
    const what = `user ${name}`
    const [found] = await this.#keystone.list('/users', { name, domain_id: domain })
    const password = await file.read()
    if (found === undefined) {
      if (password === null && file.path === null) {
        throw new RegistrationError(
          `the user ${name} is to be made: --password-file says where its password is, or is put`,
        )
      }
      return this.#create(what, () =>
        this.#keystone.create('/users', 'user', { name, domain_id: domain, password: password ?? file.create() }),
      )
    }
    if (password === null && file.path !== null) {
      // A new one would lock out a service that runs.
      throw new RegistrationError(`the user ${name} is there, and its password is not in ${file.path}: put it there`)
    }
    if (password === null || (await this.#keystone.accepts({ id: found.id, password }))) this.#tell(what, 'there')
    else await this.#change(`password of the user ${name}`, `/users/${found.id}`, 'user', { password })
    return found.id
  }

  async grant(
    { user, project, role }: { readonly user: Id; readonly project: Id; readonly role: Id },
    names: Pick<Wanted, 'role' | 'user' | 'project'>,
  ): Promise<void> {
    const what = `role ${names.role} of the user ${names.user} in the project ${names.project}`
    const path = `/projects/${project}/users/${user}/roles/${role}`
    const isThere =
      user !== null && project !== null && role !== null && (await this.#isGranted({ user, project, role }))
    if (!isThere && !this.#isDry) await this.#keystone.put(path)
    this.#tell(what, isThere ? 'there' : 'created')
  }

  async #isGranted({ user, project, role }: Readonly<Record<'user' | 'project' | 'role', string>>): Promise<boolean> {
    const granted = await this.#keystone.list('/role_assignments', {
      'user.id': user,
      'scope.project.id': project,
      'role.id': role,
    })
    return granted.length > 0
  }

  async service({ name, type, description, urls }: WantedService, region: Id): Promise<void> {
    const what = `service ${name} of type ${type}`
    const ofType = await this.#keystone.list('/services', { type })
    const found = ofType.find((service) => service['name'] === name)
    const [other] = ofType
    if (found === undefined && other !== undefined) {
      throw new RegistrationError(
        `there is a service ${other['name']} of type ${type} already, and clients would find either: delete or rename it`,
      )
    }
    if (found !== undefined) this.#tell(what, 'there')
    const id =
      found?.id ??
      (await this.#create(what, () => this.#keystone.create('/services', 'service', { name, type, description })))
    const endpoints = id === null ? [] : await this.#keystone.list('/endpoints', { service_id: id })
    for (const [side, url] of Object.entries(urls)) {
      const found = endpoints.find((one) => one['interface'] === side && one['region_id'] === region)
      // Keystone takes no region for the lack of one.
      const fields = { service_id: id, interface: side, url, ...(region !== null && { region_id: region }) }
      await this.#endpoint(`${side} endpoint ${url} of ${name}`, found, fields)
    }
  }

  async #endpoint(what: string, found: Entity | undefined, fields: { readonly url: string }): Promise<void> {
    if (found === undefined) await this.#create(what, () => this.#keystone.create('/endpoints', 'endpoint', fields))
    else if (found['url'] === fields.url) this.#tell(what, 'there')
    else await this.#change(what, `/endpoints/${found.id}`, 'endpoint', { url: fields.url })
  }

  async #create(what: string, create: () => Promise<Entity>): Promise<Id> {
    const made = this.#isDry ? null : await create()
    this.#tell(what, 'created')
    return made?.id ?? null
  }

  async #change(what: string, path: string, noun: string, fields: object): Promise<void> {
    if (!this.#isDry) await this.#keystone.update(path, noun, fields)
    this.#tell(what, 'changed')
  }

  #tell(what: string, outcome: Step['outcome']): void {
    this.steps.push({ what, outcome })
  }
}
