import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { until } from '../../packages/server/test/support/until.ts'
import { bareEnvironment } from '../support/bare-environment.ts'
import { installZaqar, zaqar } from '../support/command.ts'
import { type Service, startService } from '../support/service.ts'
import { runHere } from './run-here.ts'

const folder = mkdtempSync(join(tmpdir(), 'zaqar-streams-'))
const path = installZaqar(folder)
let service: Service

before(async () => {
  service = await startService()
  await post(100)
})

after(async () => {
  await service.stop()
  rmSync(folder, { recursive: true })
})

async function post(count: number): Promise<void> {
  const stdin = Array.from({ length: count }, (_, n) => `${n}\n`).join('')
  await runHere(['message', 'post', 'many', '--lines', '-'], { stdin, env: { ZAQAR_URL: service.url } })
}

interface Said {
  readonly stdout: string
  readonly stderr: string
}

/** Runs a script of bash, in which `code` prints how the first command of the last pipeline has ended. */
async function bash(script: string): Promise<Said> {
  const env = bareEnvironment(folder)
  const child = spawn('bash', ['-c', `code() { echo "code $1"; }\n${script}`], {
    env: { ...env, ZAQAR_URL: service.url, PATH: `${path}${delimiter}${env['PATH']}` },
  })
  const said = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      said[stream] += text
    })
  }
  await once(child, 'close')
  return said
}

describe('a command whose output nobody reads any more ends quietly', () => {
  for (const command of ['message list many --json', 'config options', '--help', 'completion bash']) {
    test(`zaqar ${command}`, async () => {
      assert.deepEqual(await bash(`zaqar ${command} | true; code $PIPESTATUS`), { stdout: 'code 0\n', stderr: '' })
    })
  }

  test('zaqar tail, when the next message comes', async () => {
    let isOver = false
    const running = bash('zaqar tail many --from start --json | head -1 > first; code $PIPESTATUS; wc -l < first')
    void running.finally(() => {
      isOver = true
    })
    while (!isOver) await post(1)
    assert.deepEqual(await running, { stdout: 'code 0\n1\n', stderr: '' })
  })
})

test('a command whose output finds no room says so', async () => {
  assert.deepEqual(await bash('zaqar config options > /dev/full; code $?'), {
    stdout: 'code 1\n',
    stderr: 'zaqar: the output cannot be written: ENOSPC: no space left on device, write\n',
  })
})

test('a command that nobody hears complain ends as it would', async () => {
  assert.equal((await bash('zaqar queue shwo 2> >(true) | cat; code $PIPESTATUS')).stdout, 'code 2\n')
  assert.equal((await bash('zaqar queue shwo 2>&-; code $?')).stdout, 'code 2\n')
})

test('a command without standard streams does its work', async () => {
  assert.equal((await bash('zaqar queue create bare <&- >&- 2>&-; code $?')).stdout, 'code 0\n')
  assert.equal((await bash('zaqar queue show bare <&- > /dev/null; code $?')).stdout, 'code 0\n')
})

test('the service goes on when nobody reads what it prints', async () => {
  const port = await freePort()
  const child = zaqar(['serve', '--port', String(port)], folder)
  child.stdout.destroy()
  child.stderr.destroy()
  const answers = () =>
    fetch(`http://127.0.0.1:${port}`).then(
      ({ status }) => status === 300,
      () => child.exitCode !== null,
    )
  await until(answers, 'the service does not answer')
  child.kill('SIGTERM')
  assert.deepEqual(await once(child, 'exit'), [0, null])
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}
