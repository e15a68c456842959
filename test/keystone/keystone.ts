import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { until } from '../../packages/server/test/support/until.ts'

export const ADMIN_PASSWORD = 'admin-secret'
/** What its own command serves. */
const APPLICATION = 'keystone.server.wsgi:initialize_public_application()'

/** For a command, or until the server answers. On an idle machine they take three seconds. */
const START_MS = 60_000
const REQUEST_MS = 30_000

/** A test that fails before it ends its Keystone must not leave it behind. */
const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const server of running) server.kill('SIGKILL')
})

/** A real Keystone with an empty database of its own. */
export class Keystone {
  readonly url: string
  readonly #folder: string
  readonly #port: number
  #server: ChildProcess | null = null

  private constructor(folder: string, port: number) {
    this.#folder = folder
    this.#port = port
    this.url = `http://127.0.0.1:${port}/v3`
  }

  static async start(): Promise<Keystone> {
    const keystone = new Keystone(mkdtempSync(join(tmpdir(), 'zaqar-keystone-')), await freePort())
    try {
      await keystone.#create()
      await keystone.serve()
      return keystone
    } catch (error) {
      await keystone.destroy()
      throw error
    }
  }

  async #create(): Promise<void> {
    const folder = this.#folder
    for (const name of ['fernet', 'credential']) {
      mkdirSync(join(folder, name), { mode: 0o700 })
      for (const key of ['0', '1']) writeFileSync(join(folder, name, key), urlSafeKey(), { mode: 0o600 })
    }
    writeFileSync(
      join(folder, 'keystone.conf'),
      [
        `[DEFAULT]\nlog_file = ${folder}/keystone.log\nmax_token_size = 8000`,
        `[database]\nconnection = sqlite:///${folder}/keystone.db`,
        `[fernet_tokens]\nkey_repository = ${folder}/fernet`,
        `[fernet_receipts]\nkey_repository = ${folder}/fernet`,
        `[credential]\nkey_repository = ${folder}/credential`,
        '[identity]\npassword_hash_rounds = 4',
        // Makes its requests some ten times as fast. The memory is that of its one process, so nothing outdated is
        // answered.
        '[cache]\nenabled = true\nbackend = dogpile.cache.memory\n',
      ].join('\n'),
    )
    await this.#manage('db_sync')
    // Keystone closes connections whose last read is not at its end. SQLite keeps their lock until Python collects what
    // is left of them; with a log of its own a writer need not wait for that, else "database is locked" is what it
    // says.
    const database = new DatabaseSync(join(folder, 'keystone.db'))
    database.exec('PRAGMA journal_mode = WAL')
    database.close()
    await this.#manage('bootstrap', '--bootstrap-password', ADMIN_PASSWORD, '--bootstrap-public-url', this.url)
  }

  async #manage(...args: readonly string[]): Promise<void> {
    const config = join(this.#folder, 'keystone.conf')
    await promisify(execFile)('/usr/bin/keystone-manage', ['--config-file', config, ...args], { timeout: START_MS })
  }

  /**
   * Starts to answer, with all that it knew before. Under uWSGI, as Debian runs it: the server that Keystone brings
   * itself waits for ever on a connection over which nothing comes.
   */
  async serve(): Promise<void> {
    const address = `127.0.0.1:${this.#port}`
    const server = spawn(
      '/usr/bin/uwsgi',
      [
        ...['--plugins', 'python3', '--http-socket', address, '--module', APPLICATION],
        ...['--need-app', '--enable-threads', '--buffer-size', '65535', '--add-header', 'Connection: close'],
      ],
      { stdio: 'ignore', env: { OS_KEYSTONE_CONFIG_FILES: join(this.#folder, 'keystone.conf') } },
    )
    running.add(server)
    this.#server = server
    const answers = () => {
      assert.ok(server.exitCode === null, `Keystone did not start: ${this.#log()}`)
      return this.#answers()
    }
    await until(answers, 'Keystone did not start', START_MS)
  }

  async #answers(): Promise<boolean> {
    const signal = AbortSignal.timeout(REQUEST_MS)
    return fetch(this.url, { signal }).then(
      (answer) => answer.ok,
      () => false,
    )
  }

  #log(): string {
    const path = join(this.#folder, 'keystone.log')
    return existsSync(path) ? readFileSync(path, 'utf8').slice(-4000) : 'it has logged nothing'
  }

  /** Goes away; what it knows is kept. */
  async leave(): Promise<void> {
    const server = this.#server
    this.#server = null
    if (server === null) return
    const closed = once(server, 'close')
    if (server.exitCode === null && server.kill('SIGKILL')) await closed
    running.delete(server)
  }

  async destroy(): Promise<void> {
    await this.leave()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** The body of `POST /v3/auth/tokens` for a user of this installation. */
  static password(name: string, password: string, scope?: object): object {
    const user = { name, domain: { id: 'default' }, password }
    return { auth: { identity: { methods: ['password'], password: { user } }, ...(scope && { scope }) } }
  }

  /** The same for an application credential, whose project is fixed. */
  static credential({ id, secret }: ApplicationCredential): object {
    const identity = { methods: ['application_credential'], application_credential: { id, secret } }
    return { auth: { identity } }
  }

  async token(body: object): Promise<string> {
    const answer = await fetch(`${this.url}/auth/tokens`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: JSON_TYPE,
      signal: AbortSignal.timeout(REQUEST_MS),
    })
    const text = await answer.text()
    assert.equal(answer.status, 201, text)
    return answer.headers.get('x-subject-token') as string
  }

  /** What it says of a token to whoever has it. */
  async show(token: string): Promise<TokenDocument> {
    return (await this.ask(token, 'GET', '/auth/tokens', undefined, { 'X-Subject-Token': token })).token
  }

  /** One of the user of the token, for its project. `fields` are those of Keystone's API. */
  async newCredential(token: string, fields: object): Promise<ApplicationCredential> {
    const { user } = await this.show(token)
    const path = `/users/${user.id}/application_credentials`
    return (await this.ask(token, 'POST', path, { application_credential: fields })).application_credential
  }

  adminToken(): Promise<string> {
    return this.token(Keystone.password('admin', ADMIN_PASSWORD, projectNamed('admin')))
  }

  /** A request to its API; answers the document of the answer. */
  // biome-ignore lint/suspicious/noExplicitAny: documents of many shapes; a test fails where one is not as it says.
  async ask(token: string, method: string, path: string, body?: object, headers: object = {}): Promise<any> {
    const answer = await fetch(`${this.url}${path}`, {
      method,
      headers: { ...JSON_TYPE, 'X-Auth-Token': token, ...headers },
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(REQUEST_MS),
    })
    const text = await answer.text()
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`)
    return text === '' ? null : JSON.parse(text)
  }
}

export function projectNamed(name: string): object {
  return { project: { name, domain: { id: 'default' } } }
}

interface ApplicationCredential {
  readonly id: string
  readonly secret: string
}

interface TokenDocument {
  readonly user: { readonly id: string }
  readonly expires_at: string
}

const JSON_TYPE = { 'Content-Type': 'application/json' }

function urlSafeKey(): string {
  return randomBytes(32).toString('base64').replaceAll('+', '-').replaceAll('/', '_')
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
