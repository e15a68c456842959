import assert from 'node:assert/strict'
import { type ChildProcessWithoutNullStreams, execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { ended, zaqar } from '../support/command.ts'

let folder: string
const children: ChildProcessWithoutNullStreams[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'zaqar-serve-'))
})

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL')
      await once(child, 'close')
    }
  }
  rmSync(folder, { recursive: true })
})

function serve(...argv: string[]): ChildProcessWithoutNullStreams {
  const child = zaqar(['serve', ...argv], folder)
  children.push(child)
  return child
}

/** Resolves with what the service prints when it is ready. */
async function ready(child: ChildProcessWithoutNullStreams): Promise<string> {
  let text = ''
  for await (const chunk of child.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    text += chunk
    if (text.includes('echo=true')) return text
  }
  return assert.fail('the service ended before it was ready')
}

function urlIn(banner: string): string {
  return / is ready at (http:\/\/\S+)\n/.exec(banner)?.[1] ?? assert.fail(banner)
}

test('says where it listens, where the data lies, what configures it and whom it serves', async () => {
  writeFileSync(join(folder, 'zaqar.conf'), '[DEFAULT]\nunreliable = true\n[transport]\nmax_message_ttl = 1800\n')
  const child = serve('--port', '0')
  const result = ended(child)
  const banner = await ready(child)
  assert.match(urlIn(banner), /^http:\/\/127\.0\.0\.1:\d+$/)
  assert.equal((await fetch(urlIn(banner))).status, 300)
  assert.ok(banner.includes(join(folder, '.zaqar-data', 'zaqar.db')))
  assert.ok(banner.includes(`${join(folder, 'zaqar.conf')}, --port`))
  assert.match(banner, /Authentication +off, therefore only this machine is served\n/)
  assert.ok(existsSync(join(folder, '.zaqar-data', 'zaqar.db')))

  child.kill('SIGTERM')
  const { code, stderr } = await result
  assert.equal(code, 0)
  assert.equal(
    stderr,
    'zaqar: these settings have no effect here:\n  [DEFAULT] unreliable: concerns MongoDB only\n' +
      'zaqar: [transport] default_message_ttl: 3600 is more than max_message_ttl allows, so it is 1800\n',
  )
})

const hasCurl = spawnSync('curl', ['--version']).status === 0

test('pooling without a pool is warned of', async () => {
  writeFileSync(join(folder, 'zaqar.conf'), '[DEFAULT]\npooling = true\n')
  const child = serve('--port', '0')
  const result = ended(child)
  await ready(child)
  child.kill('SIGTERM')
  assert.match((await result).stderr, /"level":40.*there is no pool: until one is registered/)
})

test('its three lines of curl work', { skip: !hasCurl && 'curl is not installed' }, async () => {
  const banner = await ready(serve('--port', '0'))
  const lines = banner.match(/curl -i .*/g) ?? []
  const answers = lines.map((line) => execFileSync('sh', ['-c', line], { encoding: 'utf8', stdio: 'pipe' }))
  assert.deepEqual(
    answers.map((answer) => answer.split(' ')[1]),
    ['201', '201', '200'],
  )
  assert.match(answers[2] ?? '', /hello/)
})

test('a wider address is named as open to everybody', async () => {
  const banner = await ready(serve('--port', '0', '--bind', '0.0.0.0', '--expose-without-authentication'))
  assert.match(
    banner,
    /Authentication +off, and other machines may reach 0\.0\.0\.0: everybody there can read and write/,
  )
  assert.match(banner, /Answers to +addresses, localhost; \[http\] allowed_hosts may name more\n/)
})

test('SIGINT ends it as well', async () => {
  const child = serve('--port', '0')
  const result = ended(child)
  await ready(child)
  child.kill('SIGINT')
  assert.equal((await result).code, 0)
})

test('a port that is taken is named', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as { port: number }
  const { code, stderr } = await ended(serve('--port', String(port)))
  other.close()
  assert.equal(code, 1)
  assert.equal(stderr, `zaqar: 127.0.0.1 port ${port} is in use by another program; stop it or choose another --port\n`)
})

test('an address of another machine is named', async () => {
  const { code, stderr } = await ended(serve('--bind', '192.0.2.1', '--expose-without-authentication'))
  assert.equal(code, 1)
  assert.equal(stderr, 'zaqar: 192.0.2.1 is no address of this machine; choose another --bind\n')
})

test('a store that another process holds is named', async () => {
  await ready(serve('--port', '0'))
  const { code, stdout, stderr } = await ended(serve('--port', '0'))
  assert.deepEqual({ code, stdout }, { code: 1, stdout: '' })
  assert.match(stderr, /^zaqar: [^\n]*zaqar\.db[^\n]*\n$/)
})

test('a data folder that cannot be made is named', async () => {
  writeFileSync(join(folder, 'file'), '')
  const { code, stderr } = await ended(serve('--port', '0', '--data-dir', join(folder, 'file', 'data')))
  assert.equal(code, 1)
  assert.match(stderr, /^zaqar: [^\n]*file[^\n]*\n$/)
})
