import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, request } from 'node:https'
import { connect } from 'node:net'
import { afterEach, describe, test } from 'node:test'
import { type ConnectionOptions, type TLSSocket, connect as tlsConnect } from 'node:tls'
import { ManualClock } from 'zaqar-conformance'
import type { Handle } from '../../src/http/handler.ts'
import { type Listener, listen } from '../../src/http/listener.ts'
import { openTls, type Tls, TlsError } from '../../src/http/tls.ts'
import { makePair, type Pair } from '../support/certificates.ts'
import { listenerOptions } from '../support/listener-options.ts'

const one = makePair('one')
const two = makePair('two')
const SETTINGS = { certFile: '/cert.pem', keyFile: '/key.pem', caFile: null }

/** Files, clock and log that a test decides. */
class Machine {
  readonly files = new Map<string, string>()
  readonly readableByAll = new Set<string>()
  readonly clock = new ManualClock(Date.now())
  readonly log: string[] = []

  constructor(pair: Pair = one) {
    this.put(pair)
  }

  put({ cert, key }: Pair): void {
    this.files.set('/cert.pem', cert).set('/key.pem', key)
  }

  open(settings: Parameters<typeof openTls>[0] = SETTINGS): Tls {
    return openTls(settings, {
      clock: this.clock,
      files: {
        readFile: (path) => this.files.get(path) ?? null,
        stamp: (path) => this.files.get(path) ?? null,
        isReadableByAll: (path) => this.readableByAll.has(path),
      },
      reports: {
        warned: (warning) => void this.log.push(`warned: ${warning}`),
        renewed: ({ subject }) => void this.log.push(`renewed: ${subject}`),
        refused: (problem) => void this.log.push(`refused: ${problem}`),
      },
    })
  }

  /** The files are looked at again. */
  look(): void {
    this.clock.advance(1000)
  }
}

const listeners: Listener[] = []
const sockets: { destroy(): void }[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await Promise.all(listeners.splice(0).map((listener) => listener.close()))
})

const hello: Handle = async () => ({ status: 200, headers: { Location: '/v2/queues/a' }, body: 'hello' })

async function serve(tls: Tls, { handle = hello, requestTimeoutSeconds = 60, maxConnections = 100 } = {}) {
  const listener = await listen(handle, listenerOptions({ requestTimeoutSeconds, maxConnections, tls }))
  listeners.push(listener)
  return listener.port
}

/** Who answers on a new connection. */
async function nameAt(port: number, options: ConnectionOptions = {}): Promise<string> {
  const socket = await open(port, options)
  return String(socket.getPeerCertificate().subject.CN)
}

async function open(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = tlsConnect({ host: '127.0.0.1', port, ca: [one.cert, two.cert], ...options })
  sockets.push(socket)
  await once(socket, 'secureConnect')
  return socket
}

function get(port: number, agent: Agent): Promise<{ status: number; headers: object; text: string }> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, agent, ca: [one.cert, two.cert] }, async (response) => {
      let text = ''
      for await (const chunk of response) text += chunk
      resolve({ status: response.statusCode ?? 0, headers: response.headers, text })
    })
      .on('error', reject)
      .end()
  })
}

describe('a listener with a certificate', () => {
  test('speaks HTTPS, with links as over HTTP', async () => {
    const port = await serve(new Machine().open())
    const agent = new Agent({ keepAlive: true })
    const { status, headers, text } = await get(port, agent)
    agent.destroy()
    assert.equal(status, 200)
    assert.equal(text, 'hello')
    assert.equal((headers as { location: string }).location, '/v2/queues/a')
  })

  test('speaks nothing older than TLS 1.2', async () => {
    const port = await serve(new Machine().open())
    const older = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
    await assert.rejects(open(port, older), /alert|protocol/i)
    assert.equal((await open(port, { maxVersion: 'TLSv1.2' })).getProtocol(), 'TLSv1.2')
    assert.equal((await open(port)).getProtocol(), 'TLSv1.3')
  })

  test('shows a new certificate on new connections, while requests and open connections go on', async () => {
    const machine = new Machine()
    const started = Promise.withResolvers<void>()
    const mayAnswer = Promise.withResolvers<void>()
    const handle: Handle = async (request) => {
      if (request.target === '/slow') {
        started.resolve()
        await mayAnswer.promise
      }
      return hello(request)
    }
    const port = await serve(machine.open(), { handle })
    const held = await open(port)
    held.write('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n')
    await started.promise

    machine.put(two)
    assert.equal(await nameAt(port), 'one', 'nobody has looked yet')
    machine.look()
    assert.equal(await nameAt(port), 'two')
    assert.deepEqual(machine.log, ['renewed: CN=two'])

    mayAnswer.resolve()
    const [answer] = await once(held.setEncoding('utf8'), 'data')
    assert.match(answer, /^HTTP\/1\.1 200/)
    held.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    assert.match((await once(held, 'data'))[0], /^HTTP\/1\.1 200/)
  })

  test('loses no request while the certificate changes again and again', async () => {
    const machine = new Machine()
    const port = await serve(machine.open())
    const answers = Array.from({ length: 60 }, async (_, i) => {
      if (i % 10 === 5) {
        machine.put(i % 20 === 5 ? two : one)
        machine.look()
      }
      // A connection of its own for each.
      const agent = new Agent({ maxCachedSessions: 0 })
      return (await get(port, agent)).status
    })
    assert.deepEqual(new Set(await Promise.all(answers)), new Set([200]))
    assert.equal(machine.log.length, 6)
  })

  for (const [what, spoil, why] of [
    ['a key of another certificate', (m: Machine) => m.files.set('/key.pem', two.key), /does not belong/],
    ['no certificate', (m: Machine) => m.files.set('/cert.pem', 'half of'), /\/cert\.pem holds no certificate/],
    ['no key', (m: Machine) => m.files.set('/key.pem', ''), /\/key\.pem holds no private key/],
    ['a missing file', (m: Machine) => m.files.delete('/key.pem'), /there is no file \/key\.pem/],
  ] as const) {
    test(`keeps the old certificate on ${what}, and takes the next good one`, async () => {
      const machine = new Machine()
      const port = await serve(machine.open())
      spoil(machine)
      machine.look()
      machine.look()
      assert.equal(await nameAt(port), 'one')
      assert.equal(machine.log.length, 1, 'said once')
      assert.match(machine.log[0] ?? '', why)
      machine.put(two)
      machine.look()
      assert.equal(await nameAt(port), 'two')
    })

    test(`does not start with ${what}`, () => {
      const machine = new Machine()
      spoil(machine)
      assert.throws(
        () => machine.open(),
        (error) => error instanceof TlsError && why.test(error.message),
      )
    })
  }

  test('warns of a key that everybody can read, and of a certificate that has ended', () => {
    const machine = new Machine()
    machine.readableByAll.add('/key.pem')
    machine.clock.advance(3 * 86_400_000)
    machine.open().close()
    assert.equal(machine.log.length, 2)
    assert.match(machine.log[0] ?? '', /every user .* can read the private key \/key\.pem/)
    assert.match(machine.log[1] ?? '', /\/cert\.pem is valid from .* not now/)
  })

  test('asks clients for a certificate where authorities are named', async () => {
    const machine = new Machine()
    machine.files.set('/ca.pem', two.cert)
    const port = await serve(machine.open({ ...SETTINGS, caFile: '/ca.pem' }))
    /** What is answered; with TLS 1.3 a client is refused only after its handshake. */
    const ask = async (options: ConnectionOptions): Promise<string> => {
      const socket = await open(port, options)
      let received = ''
      socket.on('data', (chunk) => {
        received += chunk
      })
      socket.on('error', () => socket.destroy())
      socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
      await new Promise((resolve) => socket.once('close', resolve))
      return received
    }
    assert.match(await ask(two), /^HTTP\/1\.1 200/)
    assert.equal(await ask({}), '')
    assert.equal(await ask(one), '')
    machine.files.set('/ca.pem', '')
    machine.look()
    assert.match(machine.log[0] ?? '', /^refused: \/ca\.pem holds no certificate/)
    assert.equal(await ask({}), '', 'also when the file of authorities is emptied')
  })
})

describe('a client that misuses a TLS port', () => {
  /** Resolves with what came before the connection ended. */
  async function rawExchange(port: number, data?: string): Promise<string> {
    const socket = connect(port, '127.0.0.1')
    sockets.push(socket)
    let received = ''
    socket.setEncoding('latin1').on('data', (text) => {
      received += text
    })
    if (data !== undefined) socket.write(data)
    await once(socket, 'close')
    return received
  }

  test('by speaking plain HTTP is cut off, and nobody else notices', async () => {
    const port = await serve(new Machine().open())
    const received = await rawExchange(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    assert.doesNotMatch(received, /HTTP/)
    assert.equal(await nameAt(port), 'one')
  })

  test('by not finishing the handshake is cut off in time', { timeout: 10_000 }, async () => {
    const port = await serve(new Machine().open(), { requestTimeoutSeconds: 1 })
    // The first bytes of a handshake, and no more.
    await Promise.all([rawExchange(port), rawExchange(port, '\x16\x03\x01')])
  })

  test('by saying nothing after the handshake is cut off in time', { timeout: 10_000 }, async () => {
    const port = await serve(new Machine().open(), { requestTimeoutSeconds: 1 })
    const socket = await open(port)
    assert.match(String((await once(socket, 'data'))[0]), /^HTTP\/1\.1 400/)
    await once(socket, 'close')
  })

  test('by leaving at the end of the handshake leaves nothing behind', async () => {
    const port = await serve(new Machine().open())
    const left = await open(port)
    left.destroy()
    // Waits for every connection.
    await listeners.pop()?.close()
  })

  test('by holding connections without a handshake meets the limit of connections', async () => {
    const port = await serve(new Machine().open(), { maxConnections: 2 })
    const held = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')]
    sockets.push(...held)
    await Promise.all(held.map((socket) => once(socket, 'connect')))
    await assert.rejects(open(port))
    held[0]?.destroy()
    await once(held[0] as (typeof held)[0], 'close')
    for (;;) {
      const name = await nameAt(port).catch(() => null)
      if (name !== null) return assert.equal(name, 'one')
    }
  })
})
