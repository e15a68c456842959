import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { ManualClock } from 'zaqar-conformance'
import { type StorageUri, storageUri } from '../../src/config/storage-uri.ts'
import { createProbeStore } from '../../src/probe-store.ts'
import { openSqlite } from '../../src/storage/sqlite/open-sqlite.ts'
import { load, problemsOf } from '../config/memory.ts'
import { administer, missingPostgres, newSchema, type PostgresServer, startPostgres } from './postgres-server.ts'

const missing = await missingPostgres()

/** Nothing listens there. */
const NOWHERE = 'postgres://zaqar:hunter2@127.0.0.1:1/zaqar'

function read(text: string): StorageUri {
  const parsed = storageUri.parse(text)
  assert.ok('value' in parsed)
  return parsed.value
}

describe('the trial of a store that is registered as a pool', () => {
  /** Holds the data folder and what lies beside it. */
  let folder: string
  let dataDir: string
  let clock: ManualClock
  let reasons: string[]
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'zaqar-probe-'))
    dataDir = join(folder, 'data')
    mkdirSync(dataDir)
    clock = new ManualClock()
    reasons = []
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  function openProbe({ own = 'sqlite:/var/lib/own.db', allowed = undefined as string | undefined } = {}) {
    const env = { OS_DEFAULT__DATA_DIR: dataDir, ...(allowed !== undefined && { OS_POOLING__ALLOWED_URIS: allowed }) }
    return createProbeStore({
      own: { storage: { async ping() {} } as never, uri: read(own) },
      allowed: load({ env }).config.pooling.allowedUris,
      dataDir,
      clock,
      refused: (reason) => void reasons.push(reason),
    })
  }

  const probe = (uri: string, settings = {}) => openProbe(settings)(uri)

  async function makeStore(path: string): Promise<void> {
    const storage = await openSqlite({ path, clock })
    await storage.close()
  }

  /** All that is there: names, kinds, sizes, times and contents. */
  function picture(): string[] {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => {
      const path = join(folder, name)
      const entry = lstatSync(path)
      return [name, entry.mode, entry.size, entry.mtimeMs, entry.isFile() && readFileSync(path, 'latin1')].join()
    })
  }

  test('succeeds for the own store, which nobody else can open', async () => {
    assert.ok(await probe('sqlite:/var/lib/own.db'))
    assert.ok(await probe('module:mine?x=1', { own: 'module:mine?x=1' }))
  })

  test('never loads a module', async () => {
    assert.equal(await probe('module:/tmp/evil.js'), false)
    assert.match(reasons[0] ?? '', /in the configuration only/)
  })

  test('fails for what is no address', async () => {
    for (const text of [
      '',
      'sqlite:',
      'mongodb://db1/z',
      'postgres://%zz@db/z',
      'postgres://db%00/z',
      'postgres://db/z?port=1,2',
    ]) {
      assert.equal(await probe(text), false, text)
    }
    assert.equal(reasons.length, 6)
  })

  test('tells the operator why, without the password', async () => {
    assert.equal(await probe(NOWHERE), false)
    assert.match(reasons[0] ?? '', /^PostgreSQL does not serve: .*ECONNREFUSED/)
    assert.doesNotMatch(reasons[0] ?? '', /hunter2/)
  })

  test('admits files in the data folder: new ones, empty ones and those of this engine, and leaves them as they are', async () => {
    mkdirSync(join(dataDir, 'pools'))
    writeFileSync(join(dataDir, 'empty.db'), '')
    await makeStore(join(dataDir, 'there.db'))
    new DatabaseSync(join(dataDir, 'begun.db')).exec('PRAGMA journal_mode = WAL')
    const seen = picture()
    for (const name of ['new.db', 'empty.db', 'there.db', 'begun.db', 'pools/new.db', 'pools/../new.db']) {
      assert.ok(await probe(`sqlite:${dataDir}/${name}`), `${name}: ${reasons}`)
    }
    assert.deepEqual(picture(), seen)
  })

  test('looks at nothing else on the disk', async () => {
    const outside = join(folder, 'outside')
    mkdirSync(outside)
    await makeStore(join(outside, 'store.db'))
    writeFileSync(join(dataDir, 'text.db'), 'no database')
    writeFileSync(join(dataDir, 'half.db'), 'SQLite format 3\0')
    new DatabaseSync(join(dataDir, 'other.db')).exec('CREATE TABLE t (x)')
    execFileSync('mkfifo', [join(dataDir, 'pipe.db')])
    mkdirSync(join(dataDir, 'folder.db'))
    symlinkSync(join(outside, 'store.db'), join(dataDir, 'link.db'))
    symlinkSync(join(outside, 'missing.db'), join(dataDir, 'dangling.db'))
    symlinkSync('/dev/zero', join(dataDir, 'device.db'))
    symlinkSync(outside, join(dataDir, 'linked'))
    const seen = picture()
    for (const path of [
      join(outside, 'store.db'),
      join(outside, 'new.db'),
      join(folder, 'nowhere', 'new.db'),
      join(dataDir, 'nowhere', 'new.db'),
      `${dataDir}/../outside/store.db`,
      dataDir,
      `${dataDir}-beside.db`,
      '/etc/passwd',
      '/dev/zero',
      ...['text', 'half', 'other', 'pipe', 'folder', 'link', 'dangling', 'device', 'linked/store', 'linked/new'].map(
        (name) => join(dataDir, `${name}.db`),
      ),
      join(dataDir, 'text.db', 'below.db'),
      join(dataDir, 'a\0b'),
    ]) {
      assert.equal(await probe(`sqlite:${path}`), false, path)
    }
    assert.deepEqual(picture(), seen)
  })

  test('admits what the operator allows, and nothing else', async () => {
    mkdirSync(join(folder, 'pools'))
    const allowed = `sqlite:${folder}/pools/*\nsqlite:${folder}/one.db\npostgres://*.example.org:6432`
    for (const [name, isGood] of [
      ['pools/new.db', true],
      ['one.db', true],
      ['two.db', false],
      ['data/new.db', false],
    ] as const) {
      assert.equal(await probe(`sqlite:${folder}/${name}`, { allowed }), isGood, name)
    }
    reasons = []
    for (const address of [
      'postgres://127.0.0.1:6432/z',
      'postgres://db.example.org/z',
      'postgres://example.org:6432/z',
      'postgres://db.example.org:6432,evil.example:6432/z',
      'postgres://db.example.org:6432/z?host=evil.example',
      'postgres://x:y@evil.example/z?application_name=@db.example.org:6432/z',
      'postgres:///z?host=/run/postgresql',
    ]) {
      assert.equal(await probe(address, { allowed }), false, address)
      assert.match(reasons.at(-1) ?? '', /^\[pooling\] allowed_uris does not admit /)
    }
    assert.equal(await probe(`sqlite:${dataDir}/new.db`, { allowed: '' }), false)
  })

  test('reads no file for a server but certificates in the data folder', async () => {
    execFileSync('mkfifo', [join(dataDir, 'pipe.pem')])
    writeFileSync(join(dataDir, 'large.pem'), '')
    truncateSync(join(dataDir, 'large.pem'), 1_000_000)
    writeFileSync(join(dataDir, 'ca.pem'), 'a certificate')
    symlinkSync('/etc/passwd', join(dataDir, 'link.pem'))
    for (const parameter of ['sslrootcert', 'sslcert', 'sslkey']) {
      for (const file of [
        '/dev/zero',
        '/etc/passwd',
        ...['pipe.pem', 'large.pem', 'link.pem'].map((name) => join(dataDir, name)),
      ]) {
        assert.equal(await probe(`${NOWHERE}?sslmode=verify-full&${parameter}=${file}`), false)
        assert.doesNotMatch(reasons.at(-1) ?? '', /ECONNREFUSED/, 'nobody was asked')
      }
    }
    for (const good of [join(dataDir, 'ca.pem'), 'system']) {
      await probe(`${NOWHERE}?sslmode=verify-full&sslrootcert=${good}`)
      assert.match(reasons.at(-1) ?? '', /ECONNREFUSED/)
    }
  })

  test('ends after five seconds, and three go on at one time', async () => {
    const silent = createServer().listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const store = openProbe()
    const uri = `postgres://127.0.0.1:${(silent.address() as AddressInfo).port}/zaqar`
    const connections: { destroy(): void }[] = []
    silent.on('connection', (socket) => connections.push(socket))
    const trials = [store(uri), store(uri), store(uri)]
    while (connections.length < 3) await once(silent, 'connection')
    assert.equal(await store(uri), false)
    assert.deepEqual(reasons, ['too many stores are tried at one time'])
    clock.advance(5_000)
    assert.deepEqual(await Promise.all(trials), [false, false, false])
    assert.match(reasons[1] ?? '', /no answer within 5 seconds/)
    for (const socket of connections) socket.destroy()
    silent.close()
    await once(silent, 'close')
  })

  test('shows no password of the environment to a server', async () => {
    const asked = Promise.withResolvers<string>()
    const curious = createServer((socket) => {
      let begun = false
      socket.on('data', (data) => {
        // A request for TLS is 8 bytes long, and is denied; then the greeting is answered by asking for the password.
        if (data.length === 8) socket.write('N')
        else if (!begun) {
          begun = true
          socket.write(Buffer.from('R\0\0\0\x08\0\0\0\x03', 'latin1'))
        } else {
          asked.resolve(data.toString('latin1', 5))
          socket.destroy()
        }
      })
      socket.on('error', () => undefined)
    }).listen(0, '127.0.0.1')
    await once(curious, 'listening')
    process.env['PGPASSWORD'] = 'hunter2'
    try {
      await probe(`postgres://zaqar@127.0.0.1:${(curious.address() as AddressInfo).port}/zaqar?sslmode=disable`)
      assert.equal(await asked.promise, '\0')
    } finally {
      delete process.env['PGPASSWORD']
      curious.close()
    }
  })

  describe('on PostgreSQL', { skip: missing ?? false }, () => {
    const database = newSchema()
    let server: PostgresServer
    before(async () => {
      server = await startPostgres()
      await administer(server.uri, `CREATE DATABASE ${database}`)
    })
    after(async () => {
      await administer(server.uri, `DROP DATABASE ${database}`)
      await server.stop()
    })

    test('succeeds, and leaves nothing there', async () => {
      const uri = new URL(server.uri)
      uri.pathname = database
      assert.ok(await probe(uri.href))
      assert.deepEqual(await administer(uri.href, "SELECT FROM pg_namespace WHERE nspname = 'zaqar'"), [])
    })
  })
})

test('what may be a pool is said store by store', () => {
  const { config } = load({
    env: {
      OS_POOLING__ALLOWED_URIS:
        'postgres://*\npostgresql://[::1]:5432/\npostgres://DB.example.org\nsqlite:/*\nsqlite:a.db',
    },
  })
  assert.deepEqual(config.pooling.allowedUris, [
    { engine: 'postgres', host: '*', port: null },
    { engine: 'postgres', host: '::1', port: 5432 },
    { engine: 'postgres', host: 'db.example.org', port: null },
    { engine: 'sqlite', path: '/', isFolder: true },
    { engine: 'sqlite', path: 'a.db', isFolder: false },
  ])
  for (const text of [
    'redis://*',
    'postgres://',
    'postgres://a/b',
    'postgres://a*',
    'postgres://u@h',
    'sqlite:',
    '*',
  ]) {
    assert.match(problemsOf({ env: { OS_POOLING__ALLOWED_URIS: text } }).join(), /allowed is postgres:\/\/HOST/, text)
  }
})
