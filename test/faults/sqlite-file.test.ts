import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { TestClient } from '../../packages/server/test/support/test-client.ts'
import { sendOverHttp } from '../support/send-over-http.ts'
import { type Service, type ServiceOptions, startService } from '../support/service.ts'

const MESSAGES = '/v2/queues/jobs/messages'

let dataDir: string
let file: string
const cleanUps: (() => unknown)[] = []

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'zaqar-faults-'))
  file = join(dataDir, 'zaqar.db')
  cleanUps.push(() => rmSync(dataDir, { recursive: true }))
})

afterEach(async () => {
  while (cleanUps.length > 0) await cleanUps.pop()?.()
})

async function start(options: ServiceOptions = {}): Promise<{ service: Service; client: TestClient }> {
  const service = await startService({ dataDir, config: '[transport]\nmax_messages_per_page = 1000\n', ...options })
  const send = sendOverHttp(service.url)
  cleanUps.push(() => service.kill(), send.close)
  return { service, client: new TestClient(send) }
}

/** What the service says when it does not start; fails when it does. */
async function refusal(options?: ServiceOptions): Promise<string> {
  const started = start(options)
  await assert.rejects(started, /the service did not start/)
  return started.then(
    () => '',
    (error: Error) => error.message,
  )
}

/** Posts a numbered message of about 1 KB. */
async function post(client: TestClient, number: number): Promise<number> {
  return (await client.post(MESSAGES, { messages: [{ body: [number, 'x'.repeat(1000)] }] })).status
}

async function postMany(client: TestClient, count: number): Promise<void> {
  const messages = Array.from({ length: count }, (_, i) => ({ body: [i, 'x'.repeat(200)] }))
  for (let from = 0; from < count; from += 200) {
    assert.equal((await client.post(MESSAGES, { messages: messages.slice(from, from + 200) })).status, 201)
  }
}

/** The numbers of all messages, in their order. */
async function numbers(client: TestClient): Promise<number[]> {
  const all: number[] = []
  for (let href = `${MESSAGES}?limit=1000&echo=true`; ; ) {
    const answer = await client.get(href)
    assert.equal(answer.status, 200, answer.text)
    const { messages, links } = JSON.parse(answer.text)
    all.push(...messages.map((one: { body: [number] }) => one.body[0]))
    if (links.length === 0) return all
    href = links[0].href
  }
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i)
}

describe('a file that another process has open', () => {
  test('is refused in one sentence, and the first process goes on', async () => {
    const { client } = await start()
    await post(client, 0)
    const said = await refusal()
    assert.match(said, /zaqar: [^\n]*[Aa]nother process[^\n]*zaqar\.db/)
    assert.doesNotMatch(said, /\n\s+at /)
    assert.equal(await post(client, 1), 201)
    assert.deepEqual(await numbers(client), [0, 1])
  })

  test('can be had when that process was killed', async () => {
    const { service, client } = await start()
    await post(client, 0)
    await service.kill()
    const next = await start()
    assert.deepEqual(await numbers(next.client), [0])
  })
})

describe('a file that cannot be written', () => {
  const NOBODY = 65_534
  /** Root may write everything, so it hands its rights over. */
  const asNobody =
    process.getuid?.() === 0 ? ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'] : []

  for (const [name, fileMode, folderMode] of [
    ['because of its own mode', 0o444, 0o755],
    ['because its folder takes no files', 0o644, 0o555],
    ['for both reasons', 0o444, 0o555],
  ] as const) {
    test(`${name} is named at the start`, async () => {
      const { service, client } = await start()
      await post(client, 0)
      await service.stop()
      for (const path of [dataDir, ...readdirSync(dataDir).map((name) => join(dataDir, name))]) {
        if (asNobody.length > 0) chownSync(path, NOBODY, NOBODY)
        chmodSync(path, path === dataDir ? folderMode : fileMode)
      }
      const said = await refusal({ under: asNobody })
      chmodSync(dataDir, 0o755)
      assert.match(said, /zaqar: [^\n]*cannot be (written|opened)[^\n]*zaqar\.db/)
      assert.doesNotMatch(said, /\n\s+at /)
    })
  }
})

describe('a file that is damaged', () => {
  for (const [name, damage] of [
    [
      'is something else',
      () => writeFileSync(file, 'This is the shopping list of the week, and it is rather long.\n'.repeat(200)),
    ],
    ['begins with nonsense', () => overwrite(0, 100)],
    ['has been cut in the middle of a page', () => truncateSync(file, Math.floor(statSync(file).size / 2) + 100)],
  ] as const) {
    test(`because it ${name} is named at the start, and left as it is`, async () => {
      const { service, client } = await start()
      await postMany(client, 2000)
      await service.stop()
      damage()
      const { size } = statSync(file)
      const said = await refusal()
      assert.match(said, /zaqar: [^\n]*(no SQLite database|damaged)[^\n]*zaqar\.db/)
      assert.doesNotMatch(said, /\n\s+at /)
      assert.equal(statSync(file).size, size)
    })
  }

  test('behind its head is named at the start', async () => {
    const { service, client } = await start()
    await postMany(client, 2000)
    await service.stop()
    overwrite(4096, statSync(file).size - 4096)
    const said = await refusal()
    assert.match(said, /zaqar: The SQLite file is damaged: /)
    assert.doesNotMatch(said, /\n\s+at /)
  })

  test('somewhere in the middle costs what lies there, as 503, and nothing else', async () => {
    const { service, client } = await start()
    await postMany(client, 20_000)
    await client.put('/v2/queues/other')
    await service.stop()
    copyFileSync(file, `${file}.good`)
    const { size } = statSync(file)
    overwrite(Math.floor(size * 0.4), Math.floor(size * 0.3))

    const damaged = await start().catch((error: Error) => error)
    if (damaged instanceof Error) assert.match(damaged.message, /damaged/)
    else {
      const statuses = new Set<number>()
      for (let i = 0; i < 30; i++) {
        for (const answer of [
          await damaged.client.get(`${MESSAGES}?echo=true&limit=1000`),
          await damaged.client.delete(`${MESSAGES}?pop=20`),
          await damaged.client.post('/v2/queues/jobs/claims'),
          await damaged.client.get('/v2/queues/jobs/stats'),
          await damaged.client.post(MESSAGES, { messages: [{ body: [0] }] }),
        ]) {
          statuses.add(answer.status)
          if (answer.status >= 400) assert.equal(JSON.parse(answer.text).title, 'Service temporarily unavailable')
        }
      }
      assert.ok(
        [...statuses].every((status) => [200, 201, 204, 503].includes(status)),
        [...statuses].join(),
      )
      assert.equal((await damaged.client.get('/')).status, 300)
      await damaged.service.kill()
    }

    for (const name of readdirSync(dataDir)) if (name !== 'zaqar.db.good') rmSync(join(dataDir, name))
    copyFileSync(`${file}.good`, file)
    const restored = await start()
    assert.deepEqual(await numbers(restored.client), range(20_000))
  })

  test('in the log of its last writes only has all that was written before', async () => {
    const { service, client } = await start()
    await postMany(client, 500)
    await service.stop()
    writeFileSync(`${file}-wal`, Buffer.alloc(100_000, 0x5a))
    const next = await start()
    assert.deepEqual(await numbers(next.client), range(500))
    assert.equal(await post(next.client, 500), 201)
  })

  function overwrite(from: number, bytes: number): void {
    const descriptor = openSync(file, 'r+')
    writeSync(descriptor, Buffer.alloc(bytes, 0xa5), 0, bytes, from)
  }
})

const notLinux = process.platform !== 'linux' && 'there is no prlimit outside Linux'

describe('a disk that is full', { skip: notLinux }, () => {
  /** A limit on the size of a file is met like a full disk, and can be lifted from outside. */
  const onSmallDisk = ['prlimit', '--fsize=2000000:unlimited']
  const enlargeDisk = ({ pid }: Service) => execFileSync('prlimit', ['--pid', String(pid), '--fsize=unlimited'])

  async function fill(client: TestClient): Promise<number> {
    for (let stored = 0; ; stored++) {
      const status = await post(client, stored)
      if (status === 503) return stored
      assert.equal(status, 201)
      assert.ok(stored < 10_000, 'the disk does not fill')
    }
  }

  /** A ping writes one page, for which there may be room when there is none for a message: a few take that. */
  async function pingFails(client: TestClient): Promise<boolean> {
    for (let i = 0; i < 20; i++) if ((await client.get('/v2/ping')).status === 503) return true
    return false
  }

  test('is said to clients as 503, stores nothing in part, serves what is there, and is got over without a restart', async () => {
    const { service, client } = await start({ under: onSmallDisk })
    const stored = await fill(client)
    for (let i = 0; i < 5; i++) {
      const answer = await client.post(MESSAGES, { messages: [{ body: [stored] }, { body: 'x'.repeat(100_000) }] })
      assert.equal(answer.status, 503)
      assert.equal(JSON.parse(answer.text).title, 'Service temporarily unavailable')
      assert.match(JSON.parse(answer.text).description, /could not be enqueued.*try again/)
    }
    assert.deepEqual(await numbers(client), range(stored))
    assert.ok(await pingFails(client), 'a disk without room for a page is healthy')

    enlargeDisk(service)
    assert.equal(await post(client, stored), 201)
    assert.equal((await client.get('/v2/ping')).status, 204)
    assert.deepEqual(await numbers(client), range(stored + 1))
    await service.stop()
    const next = await start()
    assert.deepEqual(await numbers(next.client), range(stored + 1))
  })

  test('and then a crash lose nothing that was acknowledged', async () => {
    const { service, client } = await start({ under: onSmallDisk })
    const stored = await fill(client)
    await service.kill()
    const next = await start()
    assert.deepEqual(await numbers(next.client), range(stored))
    assert.equal(await post(next.client, stored), 201)
  })

  test('under load is said to those alone whose messages are not stored', async () => {
    const { service, client } = await start({ under: onSmallDisk })
    const acknowledged: number[] = []
    await Promise.all(
      Array.from({ length: 4000 }, async (_, number) => {
        const status = await post(client, number)
        if (status === 201) acknowledged.push(number)
        else assert.equal(status, 503)
      }),
    )
    assert.ok(acknowledged.length > 0 && acknowledged.length < 4000, String(acknowledged.length))
    const sorted = (all: readonly number[]) => all.toSorted((a, b) => a - b)
    assert.deepEqual(sorted(await numbers(client)), sorted(acknowledged))
    enlargeDisk(service)
    assert.equal(await post(client, 4000), 201)
  })
})
