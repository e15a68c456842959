import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'

const ADMIN_PASSWORD = 'admin-secret'

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
    await keystone.#create()
    await keystone.serve()
    return keystone
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
        `[credential]\nkey_repository = ${folder}/credential`,
        '[identity]\npassword_hash_rounds = 4',
        '[cache]\nenabled = false\n',
      ].join('\n'),
    )
    await this.#manage('db_sync')
    // Keystone writes while a connection of its own still reads.
    const database = new DatabaseSync(join(folder, 'keystone.db'))
    database.exec('PRAGMA journal_mode = WAL')
    database.close()
    const { url } = this
    await this.#manage('bootstrap', '--bootstrap-password', ADMIN_PASSWORD, '--bootstrap-public-url', url)
  }

  async #manage(...args: readonly string[]): Promise<void> {
    const config = join(this.#folder, 'keystone.conf')
    const child = spawn('/usr/bin/keystone-manage', ['--config-file', config, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const stderr = child.stderr.setEncoding('utf8').toArray()
    const [code] = (await once(child, 'close')) as [number | null]
    assert.equal(code, 0, `keystone-manage ${args[0]}: ${(await stderr).join('')}`)
  }

  /** Starts to answer, with all that it knew before. */
  async serve(): Promise<void> {
    const config = join(this.#folder, 'keystone.conf')
    const args = ['--host', '127.0.0.1', '--port', String(this.#port), '--', '--config-file', config]
    this.#server = spawn('/usr/bin/keystone-wsgi-public', args, { stdio: 'ignore' })
    const server = this.#server
    while (
      !(await fetch(this.url).then(
        (answer) => answer.ok,
        () => false,
      ))
    ) {
      assert.equal(server.exitCode, null, 'Keystone did not start')
      await sleep(50)
    }
  }

  /** Goes away; what it knows is kept. */
  async leave(): Promise<void> {
    const server = this.#server
    if (server === null || server.exitCode !== null) return
    server.kill('SIGKILL')
    await once(server, 'close')
    this.#server = null
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

  async token(body: object): Promise<string> {
    const answer = await fetch(`${this.url}/auth/tokens`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: JSON_TYPE,
    })
    const text = await answer.text()
    assert.equal(answer.status, 201, text)
    return answer.headers.get('x-subject-token') as string
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
    })
    const text = await answer.text()
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`)
    return text === '' ? null : JSON.parse(text)
  }
}

export function projectNamed(name: string): object {
  return { project: { name, domain: { id: 'default' } } }
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
