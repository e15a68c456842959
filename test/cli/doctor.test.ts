import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { freePort } from '../../packages/server/test/storage/postgres-server.ts'
import { type Service, startService } from '../support/service.ts'
import { type Given, runHere } from './run-here.ts'

interface Finding {
  readonly about: string
  readonly severity: string
  readonly found: string
  readonly remedy: string | null
}

const folder = mkdtempSync(join(tmpdir(), 'zaqar-doctor-'))
after(() => rmSync(folder, { recursive: true }))

let files = 0
/** A configuration file, which keeps those of this machine from being read. */
function configFile(text: string): string {
  const path = join(folder, `${files++}.conf`)
  writeFileSync(path, text, { mode: 0o600 })
  return path
}

async function doctor(config: string, flags: readonly string[], given?: Given) {
  const { code, stdout, stderr } = await runHere(
    ['doctor', '--json', '--config-file', configFile(config), ...flags],
    given,
  )
  assert.equal(stderr, '')
  const { errors, warnings, findings } = JSON.parse(stdout) as {
    errors: number
    warnings: number
    findings: readonly Finding[]
  }
  const lines = findings.map(({ severity, about, found }) => `${severity} ${about}: ${found}`)
  return { code, errors, warnings, findings, text: lines.join('\n') }
}

describe('zaqar doctor, while a service runs,', () => {
  let service: Service
  let own: readonly string[]

  before(async () => {
    service = await startService()
    own = ['--port', String(service.port), '--data-dir', service.dataDir]
  })
  after(() => service.stop())

  test('asks it, and leaves its file alone', async () => {
    const file = join(service.dataDir, 'zaqar.db')
    const { size, mtimeMs } = statSync(file)
    const { code, errors, text } = await doctor('', own)
    assert.deepEqual({ code, errors }, { code: 0, errors: 0 }, text)
    assert.match(text, /^ok storage: the service has \S+zaqar\.db open, and it answers$/m)
    assert.match(text, new RegExp(`^ok ports: the service is at 127\\.0\\.0\\.1 port ${service.port}$`, 'm'))
    assert.match(text, /^ok versions: the service is of version \S+, as this command is$/m)
    const now = statSync(file)
    assert.deepEqual([now.size, now.mtimeMs], [size, mtimeMs])
    assert.equal((await fetch(`${service.url}/readyz`)).status, 200)
  })

  test('notices that it keeps its messages elsewhere, and ends with 1', async () => {
    const { code, text } = await doctor('', ['--port', String(service.port), '--data-dir', join(folder, 'other')])
    assert.equal(code, 1)
    assert.match(
      text,
      /^error storage: a service runs, but there is no \S+other\/zaqar\.db: it keeps its messages elsewhere$/m,
    )
  })

  test('notices that the store at hand is another one', async () => {
    const dataDir = join(folder, 'idle')
    await (await startService({ dataDir })).stop()
    const { code, text } = await doctor('', ['--port', String(service.port), '--data-dir', dataDir])
    assert.equal(code, 1)
    assert.match(text, /^error storage: a service runs, but it has not opened \S+idle\/zaqar\.db: /m)
  })

  test('says that its file is held, where it is looked for at another port', async () => {
    const { code, text } = await doctor('', ['--port', String(await freePort()), '--data-dir', service.dataDir])
    assert.equal(code, 1)
    assert.match(text, /^error storage: Another process has the SQLite file open: /m)
  })
})

describe('zaqar doctor, while none runs,', () => {
  let dataDir: string
  let port: string

  before(async () => {
    dataDir = join(folder, 'data')
    port = String(await freePort())
    const service = await startService({ dataDir })
    await service.stop()
  })

  test('opens the file as a start would', async () => {
    const { code, text, findings } = await doctor('', ['--port', port, '--data-dir', dataDir])
    assert.equal(code, 0, text)
    assert.match(text, /^ok storage: \S+zaqar\.db can be opened, and every commit is synced/m)
    assert.match(text, /^ok ports: nobody listens at 127\.0\.0\.1 port \d+ \(HTTP\), and the service could$/m)
    for (const { severity, remedy } of findings) assert.equal(remedy === null, severity === 'ok')
  })

  test('makes nothing where there is nothing yet', async () => {
    const fresh = join(folder, 'fresh')
    const { code, text } = await doctor('', ['--port', port, '--data-dir', fresh])
    assert.equal(code, 0, text)
    assert.match(text, /^ok storage: there is no \S+fresh\/zaqar\.db yet; the first start makes it$/m)
    assert.equal(statSync(fresh, { throwIfNoEntry: false }), undefined)
  })

  test('tells of a file that is no store', async () => {
    const wrong = join(folder, 'wrong')
    mkdirSync(wrong)
    writeFileSync(join(wrong, 'zaqar.db'), 'no database at all'.repeat(100), { mode: 0o644 })
    const { code, text } = await doctor('', ['--port', port, '--data-dir', wrong])
    assert.equal(code, 1)
    assert.match(text, /^error storage: The file is no SQLite database: /m)
    assert.match(text, /^warning storage: other users of this machine may read or write /m)
  })

  test('tells of another program at the port', async () => {
    const stranger = createServer((_, answer) => answer.end('hello')).listen(0, '127.0.0.1')
    await new Promise((resolve) => stranger.once('listening', resolve))
    const taken = String((stranger.address() as AddressInfo).port)
    try {
      const { code, text } = await doctor(`[http]\nadmin_port = ${taken}\n`, ['--port', taken, '--data-dir', dataDir])
      assert.equal(code, 1)
      assert.match(text, new RegExp(`^error ports: another program is at 127\\.0\\.0\\.1 port ${taken}$`, 'm'))
      assert.match(
        text,
        new RegExp(`^error ports: another program is at 127\\.0\\.0\\.1 port ${taken} \\(admin\\)$`, 'm'),
      )
    } finally {
      stranger.close()
    }
  })

  test('waits for nobody who takes connections and says nothing', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1')
    await new Promise((resolve) => silent.once('listening', resolve))
    const { port: taken } = silent.address() as AddressInfo
    const keystone = [
      '[DEFAULT]\nauth_strategy = keystone',
      `[keystone_authtoken]\nauth_url = http://127.0.0.1:${taken}\nauth_type = password\nusername = zaqar\npassword = hunter2\nhttp_connect_timeout = 1\n`,
    ]
    try {
      const { code, text } = await doctor(keystone.join('\n'), ['--port', port, '--data-dir', dataDir])
      assert.equal(code, 1)
      assert.match(text, /^error keystone: Keystone at \S+ does not answer \(Headers Timeout Error\)$/m)
      assert.doesNotMatch(text, /hunter2/)
    } finally {
      silent.closeAllConnections()
      silent.close()
    }
  })

  test('has as many errors as a configuration has problems, and looks at nothing else', async () => {
    const { code, errors, text } = await doctor('[transport]\nmax_mesage_ttl = 1\nmax_claim_ttl = x\n', [])
    assert.deepEqual([code, errors], [1, 2])
    assert.match(
      text,
      /^error configuration: \S+:2: \[transport\] has no option max_mesage_ttl; did you mean max_message_ttl\?\n/,
    )
  })

  test('fits a terminal, with what to do below what is found', async () => {
    const path = configFile('[http]\ncredentials_in_query = true\n')
    const flags = ['--config-file', path, '--port', port, '--data-dir', dataDir]
    const { stdout } = await runHere(['doctor', ...flags], { columns: 80 })
    const broken =
      /^warning {2}configuration {2}\[http\] credentials_in_query: .*\n(?: {24}\S.*\n)+? {24}-> set it to false/m
    assert.match(stdout, broken)
    assert.match(stdout, /\n\n0 errors, \d+ warnings?\n$/)
    const tooLong = stdout.split('\n').filter((line) => line.length > 80 && !line.includes('/'))
    assert.deepEqual(tooLong, [])
    assert.match(
      (await runHere(['doctor', ...flags])).stdout,
      /^warning {2}configuration {2}\[http\] .* -> set it to false/m,
    )
  })
})
