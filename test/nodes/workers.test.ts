import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePort, missingPostgres } from '../../packages/server/test/storage/postgres-server.ts'
import { json } from '../../packages/server/test/support/answers.ts'
import { TestClient } from '../../packages/server/test/support/test-client.ts'
import { until } from '../../packages/server/test/support/until.ts'
import { checkHistory } from '../crash/check.ts'
import { History } from '../crash/history.ts'
import { runLoad, untilBusy } from '../crash/load.ts'
import { ended, zaqar } from '../support/command.ts'
import { sendOverHttp } from '../support/send-over-http.ts'
import { type Service, startService } from '../support/service.ts'
import { createDatabase, type SharedDatabase } from './database.ts'
import { connectionsOf, isAlive, replaced, workersOf } from './worker-processes.ts'

const WORKERS = 2
const KILLS = 3
/** Two for each worker: they are given out in turn. */
const CLIENTS = 2 * WORKERS
const PROJECTS = ['one', 'other']

const missing = process.platform === 'linux' ? await missingPostgres() : 'there is no /proc outside Linux'

describe('several workers behind one port', { skip: missing ?? false }, () => {
  let folder: string
  let database: SharedDatabase
  let service: Service
  let pids: number[]
  const clients: TestClient[] = []
  const closers: (() => void)[] = []

  function connect(url: string): TestClient {
    const send = sendOverHttp(url)
    closers.push(send.close)
    return new TestClient(send)
  }

  const start = (config = '', port = 0) =>
    startService({ port, config, args: ['--storage', database.uri, '--workers', String(WORKERS)] })

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'zaqar-workers-'))
    database = await createDatabase()
    writeFileSync(join(folder, 'rules.yaml'), 'queues:create: "role:maker"\n')
    service = await start(`[oslo_policy]\npolicy_file = ${folder}/rules.yaml\n[http]\nadmin_port = 0\n`)
    pids = workersOf(service.pid)
    for (let i = 0; i < CLIENTS; i++) {
      clients.push(connect(service.url))
      assert.equal((await clients[i]?.get('/'))?.status, 300)
    }
  })
  after(async () => {
    for (const close of closers) close()
    await service.stop()
    await database.drop()
    rmSync(folder, { recursive: true })
  })

  test('connections are given to each in turn', () => {
    assert.equal(pids.length, WORKERS)
    assert.deepEqual(connectionsOf(pids, service.port), [2, 2])
  })

  test('what one has counted of messages, all of them show', async () => {
    for (const client of clients) await client.post('/v2/queues/counted/messages', { messages: [{ body: 1 }] })
    for (const client of clients) {
      await until(async () => {
        const { rates } = json(await client.get('/v2/queues/counted/stats?detailed=true')).messages
        return rates.posted.reduce((sum: number, count: number) => sum + count, 0) === CLIENTS
      })
    }
  })

  test('what is posted to one wakes the claim that waits on the other', async () => {
    const [here, there] = clients as [TestClient, TestClient]
    for (const body of ['first', 'second']) {
      const waiting = there.post('/v2/queues/woken/claims?wait=20', { ttl: 60, grace: 60 })
      // What came before this has been looked for.
      await there.get('/v2/queues/woken/stats')
      await here.post('/v2/queues/woken/messages', { messages: [{ body }] })
      assert.equal((await waiting).status, 201)
    }
  })

  test('a URL that one has signed is good for all', async () => {
    const shared = json(await (clients[0] as TestClient).post('/v2/queues/jobs/share', { methods: ['POST'] }))
    for (const client of clients) {
      const guest = client.with({
        'X-Project-Id': shared.project,
        'URL-Methods': shared.methods.join(','),
        'URL-Paths': shared.paths.join(','),
        'URL-Expires': shared.expires,
        'URL-Signature': shared.signature,
      })
      assert.equal((await guest.post('/v2/queues/jobs/messages', { messages: [{ body: 1 }] })).status, 201)
    }
  })

  test('rules that change count in all', async () => {
    const statuses = async () => Promise.all(clients.map(async (client) => (await client.put('/v2/queues/a')).status))
    assert.deepEqual(await statuses(), Array(CLIENTS).fill(403))
    writeFileSync(join(folder, 'rules.yaml'), 'queues:create: ""\n')
    await until(async () => (await statuses()).every((status) => status === 201 || status === 204))
  })
})

describe('workers that end', { skip: missing ?? false }, () => {
  let database: SharedDatabase
  const started: Service[] = []

  async function start(args: readonly string[] = [], port = 0, config = ''): Promise<Service> {
    const flags = ['--storage', database.uri, '--workers', String(WORKERS), ...args]
    const service = await startService({
      port,
      args: flags,
      config: `[transport]\nmax_messages_per_page = 1000\n${config}`,
    })
    started.push(service)
    return service
  }

  before(async () => {
    database = await createDatabase()
  })
  after(async () => {
    await Promise.all(started.map((service) => service.kill()))
    await database.drop()
  })

  test('by kill -9 under load are replaced, and lose nothing that was acknowledged', async (t) => {
    const service = await start([], await freePort())
    const histories = PROJECTS.map(() => new History())
    let isOver = false
    const loads = PROJECTS.map((project, i) =>
      runLoad(service.url, histories[i] as History, 0, { project, isOver: () => isOver }),
    )
    for (let kill = 1; kill <= KILLS; kill++) {
      await sleep(Math.random() * 400)
      const workers = workersOf(service.pid)
      process.kill(workers[kill % workers.length] as number, 'SIGKILL')
      await replaced(service, kill)
    }
    // All of them at once.
    for (const pid of workersOf(service.pid)) process.kill(pid, 'SIGKILL')
    await replaced(service, KILLS + WORKERS)
    await untilBusy(histories)
    isOver = true
    await Promise.all(loads)
    for (const [i, project] of PROJECTS.entries()) await checkHistory(service.url, histories[i] as History, project)
    assert.match(service.log(), /"worker":[12],"workerPid":\d+,"how":"SIGKILL"/)
    await service.stop()
    t.diagnostic(`${histories.reduce((sum, { batches }) => sum + batches.length, 0)} posts`)
  })

  test('are not replaced as long as rules are lost, which stay in force', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'zaqar-workers-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const rules = join(folder, 'rules.yaml')
    const write = (text: string) => writeFileSync(rules, text)
    write('queues:create: "!"\n')
    const service = await start([], 0, `[oslo_policy]\npolicy_file = ${rules}\n`)
    const put = async () => {
      const send = sendOverHttp(service.url)
      const { status } = await new TestClient(send).put('/v2/queues/a')
      send.close()
      return status
    }
    write('')
    process.kill(workersOf(service.pid)[0] as number, 'SIGKILL')
    await until(() => service.log().split('another will take its place').length > 2)
    assert.match(service.log(), /rules\.yaml: it holds no rules any more/)
    for (let tries = 0; tries < 10; tries++) assert.equal(await put(), 403)
    write('queues:create: "!"\n')
    await replaced(service, 1)
    for (let tries = 0; tries < 10; tries++) assert.equal(await put(), 403)
    await service.stop()
  })

  test('leave in the metrics what they have counted; whichever is scraped tells of all', async () => {
    const service = await start()
    const sends = Array.from({ length: CLIENTS }, () => sendOverHttp(service.url))
    const clients = sends.map((send) => new TestClient(send))
    const metrics = async (client: TestClient) => (await client.get('/metrics')).text
    const posted = (text: string) => Number(/^zaqar_messages_posted_total (\d+)$/m.exec(text)?.[1])
    const workers = (text: string) => [...text.matchAll(/^process_open_fds\{worker="(\d)"\}/gm)].map(([, one]) => one)
    const post = (client: TestClient) => client.post('/v2/queues/counted/messages', { messages: [{ body: 1 }] })
    for (const client of clients) assert.equal((await post(client)).status, 201)
    for (const client of clients) {
      const text = await metrics(client)
      assert.equal(posted(text), CLIENTS)
      assert.deepEqual(workers(text).sort(), ['1', '2'])
      assert.match(text, /^zaqar_project_messages\{project="p1",state="free"\} \d+$/m)
    }
    for (const send of sends) send.close()
    process.kill(workersOf(service.pid)[0] as number, 'SIGKILL')
    await replaced(service, 1)
    const send = sendOverHttp(service.url)
    const client = new TestClient(send)
    assert.equal((await post(client)).status, 201)
    await until(async () => workers(await metrics(client)).length === WORKERS)
    assert.equal(posted(await metrics(client)), CLIENTS + 1)
    send.close()
    await service.stop()
  })

  test('by SIGTERM, to one or to all, answer first what they have begun', async () => {
    const service = await start()
    const poll = async () => {
      const send = sendOverHttp(service.url)
      const answer = await new TestClient(send).post('/v2/queues/empty/claims?wait=20', { ttl: 60, grace: 60 })
      send.close()
      return answer.status
    }
    const [first] = workersOf(service.pid) as [number]
    const counts = () => connectionsOf(workersOf(service.pid), service.port)
    const polls: Promise<number>[] = []
    // Connections go to the worker that is free first: as many polls as it takes for each to have one.
    do {
      polls.push(poll())
      await until(() => counts().reduce((sum, count) => sum + count) === polls.length)
    } while (polls.length < 4 || counts().includes(0))
    process.kill(first, 'SIGTERM')
    await replaced(service, 1)
    const pids = workersOf(service.pid)
    assert.ok(!pids.includes(first))
    // A terminal and some service managers signal to each process, besides.
    for (const pid of pids) process.kill(pid, 'SIGINT')
    await service.stop()
    assert.deepEqual(new Set(await Promise.all(polls)), new Set([204]))
    assert.deepEqual(pids.filter(isAlive), [])
  })

  test('by themselves, when the process that has started them is gone', async () => {
    const service = await start()
    const pids = workersOf(service.pid)
    await service.kill()
    await until(() => !pids.some(isAlive))
  })
})

describe('the command line of several workers', () => {
  const folder = mkdtempSync(join(tmpdir(), 'zaqar-workers-'))
  after(() => rmSync(folder, { recursive: true }))
  const refusal = async (...args: string[]) => {
    const { code, stdout, stderr } = await ended(zaqar(['serve', '--port', '0', '--workers', '2', ...args], folder))
    assert.deepEqual([code, stdout], [1, ''])
    return stderr
  }

  test('is refused where the messages are in a file', async () => {
    assert.match(
      await refusal(),
      /^zaqar: .*workers: 2 were given, but one process alone can have the file of SQLite[^\n]*\n$/,
    )
  })

  test('is refused for an engine that does not say that processes can share it', async () => {
    const journal = fileURLToPath(new URL('../engines/journal.ts', import.meta.url))
    assert.match(
      await refusal('--storage', `module:${journal}?file=x`),
      /^zaqar: .*does not say that several processes/,
    )
  })

  test('is said once to be the reason, when the first does not start', async () => {
    const stderr = await refusal('--storage', 'postgres://nobody@127.0.0.1:1/none')
    assert.match(stderr, /^zaqar: PostgreSQL does not serve: .*ECONNREFUSED[^\n]*\nzaqar: worker 1 has ended[^\n]*\n$/)
  })

  test('serves an engine that says it, with one banner and one warning', async () => {
    const journal = fileURLToPath(new URL('../engines/journal.ts', import.meta.url))
    writeFileSync(
      join(folder, 'shared.js'),
      `export { openStorage } from ${JSON.stringify(journal)}\nimport { abilities as one } from ${JSON.stringify(journal)}\n` +
        'export const abilities = { ...one, severalProcesses: true }\n',
    )
    writeFileSync(join(folder, 'zaqar.conf'), '[DEFAULT]\nunreliable = true\n')
    const child = zaqar(['serve', '--port', '0', '--workers', '2', '--storage', 'module:./shared.js?file=x'], folder)
    const result = ended(child)
    await once(child.stdout, 'data')
    child.kill('SIGTERM')
    const { code, stdout, stderr } = await result
    assert.equal(code, 0, stderr)
    assert.equal(stdout.split(' is ready at ').length, 2)
    assert.equal(stderr, 'zaqar: these settings have no effect here:\n  [DEFAULT] unreliable: concerns MongoDB only\n')
  })
})
