import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { storageUri } from '../../src/config/storage-uri.ts'
import { StorageUnavailable } from '../../src/storage/contract.ts'
import { connect } from '../../src/storage/postgres/connection.ts'
import { readServerAddress } from '../../src/storage/postgres/server-address.ts'
import { missingPostgres, type PostgresServer, startOwnPostgres } from './postgres-server.ts'

/** As the configuration hands an address on. */
function configured(text: string): string {
  const parsed = storageUri.parse(text)
  assert.ok('value' in parsed && parsed.value.engine === 'postgres', text)
  return parsed.value.uri.reveal()
}

function hostsOf(text: string): string[] {
  return readServerAddress(configured(text)).hosts.map(({ host, port }) => `${host} ${port}`)
}

describe('the address of a server', () => {
  test('names one host or several, in any of the forms of libpq', () => {
    assert.deepEqual(hostsOf('postgres://u@db/z'), ['db 5432'])
    assert.deepEqual(hostsOf('postgres://u:p%40w@a:1,b:2/z'), ['a 1', 'b 2'])
    assert.deepEqual(hostsOf('postgresql://a,b:2/z?sslmode=require'), ['a 5432', 'b 2'])
    assert.deepEqual(hostsOf('postgres://u@[::1]:7,[fe80::2]/z'), ['::1 7', 'fe80::2 5432'])
    assert.deepEqual(hostsOf('postgres:///z?host=a,b&port=7'), ['a 7', 'b 7'])
    assert.deepEqual(hostsOf('postgres:///z?host=/run/postgresql'), ['/run/postgresql 5432'])
    assert.deepEqual(hostsOf('postgres://u:p%40w@/z?host=/run/postgresql'), ['/run/postgresql 5432'])
    assert.deepEqual(hostsOf('postgres://u@:7/z?sslmode=disable&host=/run/postgresql'), ['/run/postgresql 7'])
    assert.deepEqual(hostsOf('postgres://u@%2Frun%2Fpostgresql/z'), ['/run/postgresql 5432'])
  })

  test('says who comes, and how the session is set', () => {
    const { session } = readServerAddress('postgres://me%40home:p%2Fw@db/my%20z?options=-c%20work_mem=1MB')
    const expected = { user: 'me@home', password: 'p/w', database: 'my z', options: '-c work_mem=1MB' }
    assert.deepEqual(session, { ...expected, application_name: 'zaqar' })
  })

  for (const [query, reason] of [
    ['sslmod=require', 'there is no parameter sslmod'],
    ['sslmode=on', 'there is no sslmode on'],
    ['sslmode=verify-ca', 'sslmode=verify-ca needs sslrootcert=FILE'],
    ['sslmode=verify-full&sslrootcert=/nowhere/ca.pem', 'ENOENT.*/nowhere/ca.pem'],
    ['target_session_attrs=standby', 'target_session_attrs=standby, but the service has to write'],
    ['host=a,b&port=1,2,3', 'there are not as many ports as hosts'],
  ] as const) {
    test(`with ${query} is refused in plain words`, () => {
      const isPlain = (error: unknown) => error instanceof StorageUnavailable && new RegExp(reason).test(error.message)
      assert.throws(() => readServerAddress(`postgres://u@db/z?${query}`), isPlain)
    })
  }
})

describe('a server with a certificate of its own', { skip: (await missingPostgres({ isOwn: true })) ?? false }, () => {
  let server: PostgresServer
  let certificate: string

  before(async () => {
    server = await startOwnPostgres({
      settings: { ssl: 'on' },
      async prepare(dataDir, asOwner) {
        certificate = join(dataDir, 'server.crt')
        const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
        const files = ['-keyout', join(dataDir, 'server.key'), '-out', certificate]
        await asOwner(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', ...subject, ...files])
        await asOwner(['sed', '-i', 's/^host /hostssl /', join(dataDir, 'pg_hba.conf')])
      },
    })
  })
  after(() => server.stop())

  const address = (host: string, query: string) => `postgres://postgres@${host}:${server.port}/postgres${query}`

  /** Whether the connection is encrypted, or why there is none. */
  async function outcome(uri: string): Promise<boolean | string> {
    try {
      const { client } = await connect(uri)
      const { rows } = await client.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()')
      await client.end()
      return rows[0].ssl
    } catch (error) {
      assert.ok(error instanceof StorageUnavailable)
      return error.message
    }
  }

  for (const mode of ['', '?sslmode=allow', '?sslmode=prefer', '?sslmode=require']) {
    test(`is not verified ${mode === '' ? 'without an sslmode' : `with ${mode.slice(1)}`}, and connections are encrypted`, async () => {
      assert.equal(await outcome(address('127.0.0.1', mode)), true)
    })
  }

  test('is verified where that is asked for', async () => {
    const root = `sslrootcert=${encodeURIComponent(certificate)}`
    assert.equal(await outcome(address('localhost', `?sslmode=verify-full&${root}`)), true)
    assert.equal(await outcome(address('127.0.0.1', `?sslmode=verify-ca&${root}`)), true)
    assert.equal(await outcome(address('127.0.0.1', `?sslmode=require&${root}`)), true)
    assert.match(String(await outcome(address('127.0.0.1', `?sslmode=verify-full&${root}`))), /IP: 127\.0\.0\.1 is not/)
    assert.match(String(await outcome(address('localhost', '?sslmode=verify-full'))), /self-signed certificate/)
    assert.match(String(await outcome(address('localhost', '?sslmode=verify-full&sslrootcert=system'))), /self-signed/)
  })

  test('lets nobody in without encryption', async () => {
    assert.match(String(await outcome(address('127.0.0.1', '?sslmode=disable'))), /no encryption/)
  })

  test('is found behind hosts that do not answer', async () => {
    const hosts = `127.0.0.1:1,localhost:${server.port}`
    assert.equal(await outcome(configured(`postgres://postgres@${hosts}/postgres`)), true)
    const reasons = await outcome(configured('postgres://postgres@127.0.0.1:1,127.0.0.1:2/postgres'))
    assert.match(String(reasons), /127\.0\.0\.1:1: .*ECONNREFUSED.*; 127\.0\.0\.1:2: .*ECONNREFUSED/)
  })
})

describe('a server without a certificate', { skip: (await missingPostgres({ isOwn: true })) ?? false }, () => {
  let server: PostgresServer
  before(async () => {
    server = await startOwnPostgres({
      prepare: async (dataDir, asOwner) => {
        const rule = (user: string, method: string) => `1ihost all ${user} 127.0.0.1/32 ${method}`
        for (const [user, method] of [
          ['asked', 'scram-sha-256'],
          ['asked_in_plain', 'password'],
        ] as const) {
          await asOwner(['sed', '-i', rule(user, method), join(dataDir, 'pg_hba.conf')])
        }
      },
    })
  })
  after(() => server.stop())

  test('is used where encryption is preferred, and refused where it is required', async () => {
    const { client } = await connect(server.uri)
    await client.end()
    await assert.rejects(connect(`${server.uri}?sslmode=require`), /does not support SSL/)
  })

  for (const user of ['asked', 'asked_in_plain']) {
    test(`says that it asks for a password where the address has none: ${user}`, async () => {
      await assert.rejects(connect(server.uri.replace('postgres@', `${user}@`)), {
        name: 'StorageUnavailable',
        message:
          'PostgreSQL does not serve: the server asks for a password and the address has none: ' +
          'postgres://USER:PASSWORD@HOST/DATABASE',
      })
    })
  }

  test('that has no such database is trouble, and no bug', async () => {
    const uri = server.uri.replace(/postgres$/, 'missing')
    await assert.rejects(
      connect(uri),
      (error) => error instanceof StorageUnavailable && !(error instanceof pg.DatabaseError),
    )
  })
})
