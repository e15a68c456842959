import assert from 'node:assert/strict'
import {
  chownSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { TestClient } from '../../packages/server/test/support/test-client.ts'
import { until } from '../../packages/server/test/support/until.ts'
import { type Ended, runHere } from '../cli/run-here.ts'
import { ended, zaqar } from '../support/command.ts'
import { sendOverHttp } from '../support/send-over-http.ts'
import { type Service, startService } from '../support/service.ts'
import { mountDisk } from '../support/small-disk.ts'

const WRITERS = 4
/** Some MiB of them make the file as large as a copy that takes a while needs. */
const FILLER = 'x'.repeat(200_000)
const FILLERS = 20
/** In MiB per second: the copy of the fillers is under way for seconds, or for longer than the test lasts. */
const SLOW = ['--rate', '3']
const ENDLESS = ['--rate', '0.01']

const NOBODY = 65_534
/** As long as two pages of one. */
const NO_DATABASE = 'x'.repeat(8192)

const folder = mkdtempSync(join(tmpdir(), 'zaqar-backup-'))
after(() => rmSync(folder, { recursive: true }))
const pathOf = (name: string) => join(folder, name)

async function done(...argv: string[]): Promise<Ended> {
  const end = await runHere(argv)
  assert.equal(end.code, 0, end.stderr)
  return end
}

async function refused(why: RegExp, ...argv: string[]): Promise<void> {
  const { code, stderr } = await runHere(argv)
  assert.equal(code, 1)
  assert.match(stderr, why)
}

/** For the length of `use`. */
async function withClient<Result>({ url }: Service, use: (client: TestClient) => Promise<Result>): Promise<Result> {
  const send = sendOverHttp(url)
  return use(new TestClient(send)).finally(() => send.close())
}

async function post(client: TestClient, queue: string, body: unknown): Promise<void> {
  const answer = await client.post(`/v2/queues/${queue}/messages`, { messages: [{ body }] })
  assert.equal(answer.status, 201, answer.text)
}

function fill(service: Service): Promise<void> {
  return withClient(service, async (client) => {
    for (let i = 0; i < FILLERS; i++) await post(client, 'filler', FILLER)
  })
}

/** Bodies in their order. */
async function bodiesIn(client: TestClient, queue: string): Promise<unknown[]> {
  const all: unknown[] = []
  for (let href = `/v2/queues/${queue}/messages?limit=20&echo=true`; ; ) {
    const answer = await client.get(href)
    assert.equal(answer.status, 200, answer.text)
    const { messages, links } = JSON.parse(answer.text) as { messages: { body: unknown }[]; links: { href: string }[] }
    all.push(...messages.map(({ body }) => body))
    if (messages.length === 0) return all
    href = links[0]?.href as string
  }
}

/** A service of its own on a restored store. */
async function restored<Result>(backup: string, use: (service: Service) => Promise<Result>): Promise<Result> {
  const dataDir = mkdtempSync(pathOf('restored-'))
  await done('restore', backup, '--data-dir', dataDir)
  const service = await startService({ dataDir })
  return use(service).finally(() => service.stop())
}

/** The command, when it has copied some, and where that is. */
async function copying(target: string, dataDir: string): Promise<{ command: ReturnType<typeof zaqar>; draft: string }> {
  const command = zaqar(['backup', target, '--data-dir', dataDir, ...ENDLESS], folder)
  const draft = `${target}.partial-${command.pid}`
  await until(() => (statSync(draft, { throwIfNoEntry: false })?.size ?? 0) > 0, 'nothing is copied')
  return { command, draft }
}

test('a backup under load has all that was answered before, and nothing without what came before it', async () => {
  const service = await startService()
  await fill(service)
  /** How many pairs of each writer were answered. */
  const answered = Array.from({ length: WRITERS }, () => 0)
  let isOver = false
  // What is in `second` was in `first` before.
  const write = (i: number) =>
    withClient(service, async (client) => {
      while (!isOver) {
        const number = answered[i] as number
        await post(client, `first-${i}`, number)
        await post(client, `second-${i}`, number)
        answered[i] = number + 1
      }
    })
  const load = Promise.all(answered.map((_, i) => write(i)))
  await until(() => answered.every((count) => count > 0))
  const before = [...answered]
  const target = pathOf('under-load')
  const { code, stdout, stderr } = await ended(
    zaqar(['backup', target, '--data-dir', service.dataDir, '--json', ...SLOW], folder),
  )
  assert.equal(code, 0, stderr)
  const later = [...answered]
  isOver = true
  await load
  const { bytes } = JSON.parse(stdout) as { bytes: number }
  assert.ok(bytes > FILLERS * FILLER.length, 'the backup is smaller than what is in it')

  await restored(target, (copy) =>
    withClient(copy, async (client) => {
      for (const [i, least] of before.entries()) {
        const [first, second] = await Promise.all([bodiesIn(client, `first-${i}`), bodiesIn(client, `second-${i}`)])
        for (const numbers of [first, second]) assert.deepEqual(numbers, [...numbers.keys()])
        assert.ok(second.length >= least, `${second.length} of ${least} that were answered before`)
        const ahead = first.length - second.length
        assert.ok(ahead === 0 || ahead === 1, `${ahead} are in the second queue too early`)
        assert.ok(second.length < (later[i] as number), 'nothing was written while the backup was made')
      }
      await post(client, 'first-0', 'and it takes new ones')
    }),
  )
  // What was held back is in the file now.
  await withClient(service, async (client) => {
    for (const [i, count] of answered.entries()) assert.equal((await bodiesIn(client, `first-${i}`)).length, count)
  })
  await service.stop()
})

describe('of a service that runs', () => {
  let service: Service

  before(async () => {
    service = await startService()
    await fill(service)
  })
  after(() => service.stop())

  const backup = (target: string, ...more: string[]) => ['backup', target, '--data-dir', service.dataDir, ...more]

  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    test(`${signal} amid a backup leaves nothing under its name, and the next one is made`, async () => {
      const target = pathOf(`ended-by-${signal}`)
      const { command, draft } = await copying(target, service.dataDir)
      for (const other of [pathOf('second'), target]) {
        await refused(/another backup is being made/i, ...backup(other))
      }
      assert.equal(existsSync(draft), true)
      command.kill(signal)
      await ended(command)
      assert.equal(existsSync(target), false)
      assert.equal(existsSync(draft), signal === 'SIGKILL')
      await until(async () => (await runHere(backup(target))).code === 0, 'the file is held for ever')
      assert.equal(existsSync(draft), false)
    })
  }

  test('a backup that is there stays, unless it shall be replaced; it is for its user alone', async () => {
    const target = pathOf('there')
    await done(...backup(target))
    const old = readFileSync(target)
    await refused(/there is there already; --overwrite replaces it/, ...backup(target))
    assert.deepEqual(readFileSync(target), old)
    await withClient(service, (client) => post(client, 'more', 'news'))
    await done(...backup(target, '--overwrite'))
    assert.notDeepEqual(readFileSync(target), old)
    assert.equal(statSync(target).mode & 0o777, 0o600)
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith('there.')),
      [],
    )
  })

  test('what is no backup is never replaced, least of all the store', async () => {
    const text = pathOf('text')
    writeFileSync(text, 'precious')
    const store = join(service.dataDir, 'zaqar.db')
    const link = pathOf('link')
    symlinkSync(store, link)
    for (const target of [text, store, link, folder]) {
      await refused(/is there already/, ...backup(target))
      await refused(/is no backup, and only a backup is replaced by one/, ...backup(target, '--overwrite'))
    }
    assert.equal(readFileSync(text, 'utf8'), 'precious')
    await withClient(service, (client) => post(client, 'still', 'here'))
  })

  test('no store takes its place', async () => {
    const target = pathOf('for-running')
    await done(...backup(target))
    for (const force of [[], ['--force']]) {
      await refused(/A service runs on .*; stop it first/, 'restore', target, '--data-dir', service.dataDir, ...force)
    }
    await withClient(service, (client) => post(client, 'still', 'here'))
  })
})

test('a backup whose service dies is none, and ends with it', async () => {
  const service = await startService({ dataDir: pathOf('dies') })
  await fill(service)
  const target = pathOf('of-the-dead')
  const { command } = await copying(target, service.dataDir)
  const end = ended(command)
  await service.kill()
  const { code, stderr } = await end
  assert.equal(code, 1)
  assert.match(stderr, /the service does not hold its file for a backup: it has ended/i)
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('of-the-dead')),
    [],
  )

  // Its log is not in the file yet.
  await done('backup', target, '--data-dir', service.dataDir)
  await restored(target, (copy) =>
    withClient(copy, async (client) => assert.equal((await bodiesIn(client, 'filler')).length, FILLERS)),
  )
})

test('a backup takes no room that the service needs, nor begins where it has none', async (t) => {
  const disk = mountDisk('128m')
  if (typeof disk === 'string') return t.skip(disk)
  t.after(() => disk.unmount())
  const service = await startService({ dataDir: join(disk.folder, 'data') })
  t.after(() => service.kill())
  await fill(service)
  const backup = (target: string) => ['backup', target, '--data-dir', service.dataDir, ...ENDLESS]
  const beside = join(disk.folder, 'backup')

  const slow = ended(zaqar(backup(beside), folder))
  await until(() => readdirSync(disk.folder).length > 1, 'nothing is copied')
  disk.fill(32 << 20)
  const { code, stderr } = await slow
  assert.equal(code, 1)
  assert.match(stderr, /the disk has little room left/)
  await refused(/the disk has little room left/, ...backup(pathOf('elsewhere')))
  disk.clear()
  await withClient(service, (client) => post(client, 'still', 'here'))
  assert.deepEqual(readdirSync(disk.folder), ['data'])

  const small = mountDisk('1m')
  assert.ok(typeof small !== 'string')
  t.after(() => small.unmount())
  await refused(/has room for \d+ bytes, and the backup needs \d+/, ...backup(join(small.folder, 'backup')))
})

describe('a backup of a service that has ended', () => {
  const dataDir = pathOf('ended')
  const backup = pathOf('good')
  const key = (dir: string) => readFileSync(join(dir, 'signed-url.key'), 'utf8')

  before(async () => {
    const service = await startService({ dataDir })
    await withClient(service, (client) => post(client, 'q', 'old'))
    await service.stop()
    await done('backup', backup, '--data-dir', dataDir)
  })

  test('belongs to the owner of the folder, also when root restores it', async () => {
    const target = mkdtempSync(pathOf('owned-'))
    // Only root may give something away.
    if (process.getuid?.() === 0) chownSync(target, NOBODY, NOBODY)
    await done('restore', backup, '--data-dir', target)
    const names = readdirSync(target).sort()
    assert.deepEqual(names, ['signed-url.key', 'zaqar.db'])
    const ownerOf = (path: string) => [statSync(path).uid, statSync(path).gid]
    for (const name of names) assert.deepEqual(ownerOf(join(target, name)), ownerOf(target))
  })

  test('is the same service elsewhere: what it has signed stays valid', async () => {
    const elsewhere = pathOf('elsewhere')
    await done('restore', backup, '--data-dir', elsewhere)
    assert.equal(key(elsewhere), key(dataDir))
    assert.equal(statSync(join(elsewhere, 'signed-url.key')).mode & 0o777, 0o600)
  })

  test('takes the place of no store, unless that shall be moved aside', async () => {
    const other = pathOf('other')
    const service = await startService({ dataDir: other })
    await withClient(service, (client) => post(client, 'q', 'new'))
    await service.stop()
    const otherKey = key(other)
    await refused(/There is a store at .*; --force moves it aside/, 'restore', backup, '--data-dir', other)
    assert.equal(key(other), otherKey)
    const { stdout } = await done('restore', backup, '--data-dir', other, '--force', '--json')
    const { movedAside } = JSON.parse(stdout) as { movedAside: string[] }
    assert.deepEqual(
      movedAside.map((path) => existsSync(path)),
      [true, true],
    )
    assert.equal(key(other), key(dataDir))
    const again = await startService({ dataDir: other })
    await withClient(again, async (client) => assert.deepEqual(await bodiesIn(client, 'q'), ['old']))
    await again.stop()
  })

  for (const [what, damage] of [
    ['a store that is damaged', (store: string) => writeFileSync(store, NO_DATABASE)],
    // SQLite would put it into the store that comes.
    ['a log whose store is gone', (store: string) => renameSync(store, `${store}-lost`)],
  ] as const) {
    test(`takes the place of ${what}`, async () => {
      const other = mkdtempSync(pathOf('damaged-'))
      const store = join(other, 'zaqar.db')
      const service = await startService({ dataDir: other })
      await withClient(service, (client) => post(client, 'q', 'lost'))
      await service.kill()
      damage(store)
      const isLogAlone = !existsSync(store)
      const { stdout } = await done('restore', backup, '--data-dir', other, '--force', '--json')
      const { movedAside } = JSON.parse(stdout) as { movedAside: string[] }
      assert.equal(movedAside.length, 2)
      assert.match(movedAside[1] as string, isLogAlone ? /zaqar\.db\.before-.*Z-wal$/ : /zaqar\.db\.before-.*Z$/)
      assert.ok(movedAside.every(existsSync))
      const again = await startService({ dataDir: other })
      await withClient(again, async (client) => assert.deepEqual(await bodiesIn(client, 'q'), ['old']))
      await again.stop()
    })
  }

  const bytes = () => readFileSync(backup)
  const flipped = (at: (length: number) => number) => {
    const copy = bytes()
    const place = at(copy.length)
    copy[place] = (copy[place] as number) ^ 1
    return copy
  }
  for (const [what, make] of [
    ['with one bit changed in the middle', () => flipped((length) => length >> 1)],
    ['with one bit changed in its digest', () => flipped((length) => length - 10)],
    ['that lost its end', () => bytes().subarray(0, -1000)],
    ['that lost a page in its middle', () => Buffer.concat([bytes().subarray(0, 4096), bytes().subarray(8192)])],
    ['with something behind it', () => Buffer.concat([bytes(), Buffer.from('\n')])],
    ['that is empty', () => Buffer.alloc(0)],
  ] as const) {
    test(`is refused ${what}, and nothing is made of it`, async () => {
      const damaged = pathOf('damaged')
      writeFileSync(damaged, make())
      const target = mkdtempSync(pathOf('target-'))
      await refused(/damaged cannot be used: /, 'restore', damaged, '--data-dir', target)
      assert.deepEqual(readdirSync(target), [])
    })
  }

  test('names what else is needed to read it', async () => {
    const config = pathOf('key.conf')
    writeFileSync(config, `[transport]\nmessage_encryption_key = ${Buffer.alloc(32, 7).toString('base64')}\n`)
    const { stdout } = await done('backup', pathOf('keyed'), '--data-dir', dataDir, '--config-file', config)
    assert.match(stdout, /needed to read it: message_encryption_key of the configuration/)
  })

  test('says that what is in pools is not in it', async () => {
    const config = pathOf('pools.conf')
    writeFileSync(config, '[DEFAULT]\npooling = true\n')
    const argv = ['--data-dir', dataDir, '--config-file', config]
    assert.match((await done('backup', pathOf('pooled'), ...argv)).stdout, /^Not in it: what is in pools\./m)
    const { stdout } = await done('backup', pathOf('pooled-2'), ...argv, '--json')
    assert.equal(JSON.parse(stdout).pools, 'not included')
  })

  test('and neither is a copy of the file alone, nor a store that is not there', async () => {
    const plain = pathOf('plain')
    copyFileSync(join(dataDir, 'zaqar.db'), plain)
    await refused(/does not end as a backup does/, 'restore', plain, '--data-dir', pathOf('nowhere'))
    await refused(/ cannot be used: it is no file/, 'restore', folder, '--data-dir', pathOf('nowhere'))
    await refused(/There is no store at /, 'backup', pathOf('none'), '--data-dir', pathOf('nothing'))
  })

  test('PostgreSQL has backups of its own', async () => {
    const { code, stderr } = await runHere(['backup', pathOf('none'), '--storage', 'postgres://localhost/zaqar'])
    assert.equal(code, 2)
    assert.match(stderr, /docs\/operate-postgres\.md/)
  })
})
