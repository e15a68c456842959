import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { RawSocket } from '../../packages/server/test/support/raw-socket.ts'
import { CLIENT_ID, PROJECT } from '../../packages/server/test/support/test-client.ts'
import { type Service, startService } from '../support/service.ts'

const IDENTITY = `Host: localhost\r\nClient-ID: ${CLIENT_ID}\r\nX-Project-Id: ${PROJECT}\r\n`
const WAIT = `POST /v2/queues/empty/claims?wait=20 HTTP/1.1\r\n${IDENTITY}Content-Length: 0\r\n\r\n`
const GET = `GET /v2/queues HTTP/1.1\r\n${IDENTITY}\r\n`
/** What a service needs that nothing holds up; far less than a wait or an idle connection would take. */
const SOON = { timeout: 10_000 }

const services: Service[] = []
after(() => Promise.all(services.map((service) => service.isRunning() && service.kill())))

async function start(config = ''): Promise<Service> {
  const service = await startService({ config })
  services.push(service)
  return service
}

/** A connection that has been used and is kept alive, on which `request` is under way then. */
async function keptAlive({ port }: Service, request = ''): Promise<RawSocket> {
  const socket = await RawSocket.connect(port)
  await socket.write(GET)
  const first = await socket.answer()
  assert.equal(first?.status, 200)
  assert.notEqual(first?.headers.get('connection'), 'close')
  await socket.write(request)
  // Whatever came before this has arrived.
  const other = await RawSocket.connect(port)
  await other.write(GET)
  await other.answer()
  other.destroy()
  return socket
}

describe('a service that is told to end', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`by ${signal} answers who waits, closes their connections and idle ones, and ends`, SOON, async () => {
      const service = await start()
      const [idle, waiting] = await Promise.all([keptAlive(service), keptAlive(service, WAIT)])
      process.kill(service.pid, signal)
      const answer = await waiting.answer()
      assert.equal(answer?.status, 204)
      assert.equal(answer?.headers.get('connection'), 'close')
      assert.equal(await waiting.answer(), null)
      assert.equal(await idle.answer(), null)
      await service.stop()
    })
  }

  test(
    'takes no new connections, and answers what comes over one that is in use with its last answer',
    SOON,
    async () => {
      const service = await start()
      const half = await keptAlive(service, GET.slice(0, 40))
      process.kill(service.pid, 'SIGTERM')
      // The first to be refused shows that the end has begun.
      for (;;) {
        const socket = connect(service.port, '127.0.0.1')
        const isRefused = await Promise.race([
          once(socket, 'connect').then(() => false),
          once(socket, 'error').then(() => true),
        ]).catch(() => true)
        socket.destroy()
        if (isRefused) break
      }
      await half.write(GET.slice(40))
      const answer = await half.answer()
      assert.equal(answer?.status, 200)
      assert.equal(answer?.headers.get('connection'), 'close')
      await service.stop()
    },
  )

  test('serves on for the delay, with last answers, and only then ends what waits', SOON, async () => {
    const service = await start('[DEFAULT]\ngraceful_shutdown_delay = 1\n')
    const [idle, waiting] = await Promise.all([keptAlive(service), keptAlive(service, WAIT)])
    let hasEnded = false
    const ended = waiting.answer().then((answer) => {
      hasEnded = true
      return answer
    })
    process.kill(service.pid, 'SIGTERM')
    // The first last answer shows that the end has begun.
    for (let isLast = false; !isLast; ) {
      const socket = await RawSocket.connect(service.port)
      await socket.write(GET)
      isLast = (await socket.answer())?.headers.get('connection') === 'close'
      socket.destroy()
    }
    await idle.write(GET)
    const answer = await idle.answer()
    assert.deepEqual([answer?.status, answer?.headers.get('connection'), hasEnded], [200, 'close', false])
    assert.equal((await ended)?.status, 204)
    await service.stop()
  })

  test('cuts off who is not done in time', SOON, async () => {
    const service = await start('[DEFAULT]\ngraceful_shutdown_timeout = 1\n')
    const half = await keptAlive(service, GET.slice(0, 40))
    const stopped = service.stop()
    assert.equal(await half.answer(), null)
    await stopped
  })

  test('does not end when its terminal is closed', SOON, async () => {
    const service = await start()
    process.kill(service.pid, 'SIGHUP')
    const socket = await keptAlive(service)
    socket.destroy()
    await service.stop()
  })
})

test('npm start hands the signal on to the service', { timeout: 60_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'zaqar-test-'))
  const child = spawn('npm', ['start', '--', '--port', '0', '--data-dir', folder], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  for await (const text of child.stdout.setEncoding('utf8')) {
    output += text
    // Its end closes the output, and so ends the loop.
    if (/is ready at/.test(output)) child.kill('SIGTERM')
  }
  assert.match(output, /is ready at/)
  rmSync(folder, { recursive: true })
})
