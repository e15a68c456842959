import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort, missingPostgres } from '../../packages/server/test/storage/postgres-server.ts'
import { TestClient } from '../../packages/server/test/support/test-client.ts'
import { until } from '../../packages/server/test/support/until.ts'
import { createDatabase, type SharedDatabase } from '../nodes/database.ts'
import { missingPeer } from '../support/peers.ts'
import { sendOverHttp } from '../support/send-over-http.ts'
import { type Service, startService } from '../support/service.ts'
import { underLoad } from './under-load.ts'

/** Fewer than the connections of the services, so that they have to share. */
const SERVER_CONNECTIONS = 3
const RESTARTS = 5

/** PgBouncer in transaction mode before a database. */
class Pooler {
  readonly uri: string
  readonly #port: number
  readonly #file: string
  #process: ReturnType<typeof spawn> | null = null

  constructor(folder: string, port: number, target: string) {
    const { hostname, port: targetPort, pathname, username, password } = new URL(target)
    this.#port = port
    this.#file = join(folder, 'pgbouncer.ini')
    this.uri = `postgres://postgres@127.0.0.1:${port}${pathname}`
    const settings = [
      '[databases]',
      `* = host=${hostname} port=${targetPort || 5432} user=${username}${password && ` password=${password}`}`,
      '[pgbouncer]',
      'listen_addr = 127.0.0.1',
      `listen_port = ${port}`,
      'unix_socket_dir =',
      'auth_type = any',
      'pool_mode = transaction',
      `default_pool_size = ${SERVER_CONNECTIONS}`,
    ]
    writeFileSync(this.#file, settings.join('\n'))
  }

  async start(): Promise<void> {
    const command = ['/usr/sbin/pgbouncer', '--quiet', this.#file]
    const [program = '', ...args] = process.getuid?.() === 0 ? ['setpriv', '--reuid=65534', ...command] : command
    this.#process = spawn(program, args, { stdio: 'ignore' })
    await until(() => {
      assert.equal(this.#process?.exitCode, null, 'PgBouncer does not start')
      return accepts(this.#port)
    })
  }

  async kill(): Promise<void> {
    if (this.#process?.exitCode !== null || this.#process.signalCode !== null) return
    this.#process.kill('SIGKILL')
    await once(this.#process, 'exit')
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const end = (isOpen: boolean) => () => {
      socket.destroy()
      resolve(isOpen)
    }
    socket.on('connect', end(true)).on('error', end(false))
  })
}

describe('PgBouncer in transaction mode', { skip: (await missingPostgres()) ?? missingPeer('pgbouncer') }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'zaqar-pgbouncer-'))
  let database: SharedDatabase
  let pooler: Pooler
  let services: Service[] = []

  before(async () => {
    chmodSync(folder, 0o755)
    database = await createDatabase()
    pooler = new Pooler(folder, await freePort(), database.uri)
    await pooler.start()
    const config = `[storage]\nlisten_uri = ${database.uri}\n[transport]\nmax_messages_per_page = 1000\n`
    services = await Promise.all([1, 2].map(() => startService({ config, args: ['--storage', pooler.uri] })))
  })
  after(async () => {
    await Promise.all(services.map((service) => service.kill()))
    await pooler.kill()
    await database.drop()
    rmSync(folder, { recursive: true })
  })

  test('is named, when nothing says how to listen', async () => {
    await assert.rejects(
      startService({ args: ['--storage', pooler.uri] }),
      /zaqar: [^\n]* connection pooler: \[storage\] listen_uri must name the server itself/,
    )
  })

  test('wakes who waits on another node', async () => {
    const sends = services.map(({ url }) => sendOverHttp(url))
    const [here, there] = sends.map((send) => new TestClient(send)) as [TestClient, TestClient]
    for (const body of ['first', 'second']) {
      const waiting = there.post('/v2/queues/woken/claims?wait=20', { ttl: 60, grace: 60 })
      // What came before this has been looked for.
      await there.get('/v2/queues/woken/stats')
      const postedAt = performance.now()
      assert.equal((await here.post('/v2/queues/woken/messages', { messages: [{ body }] })).status, 201)
      assert.equal((await waiting).status, 201)
      assert.ok(performance.now() - postedAt < 2_000, 'it was not woken')
    }
    for (const send of sends) send.close()
  })

  test('loses nothing that was acknowledged when it is killed under load', async () => {
    const urls = services.map(({ url }) => url)
    const { refused } = await underLoad(urls, async () => {
      for (let i = 0; i < RESTARTS; i++) {
        await pooler.kill()
        await pooler.start()
        await sleep(Math.random() * 300)
      }
    })
    assert.ok(refused > 0)
  })
})
