import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener, request as requestTo } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { makePair, type Pair } from '../support/certificates.ts'
import { failure, openChannel, startReceiver, startTcpReceiver } from './webhook-scene.ts'

interface Asked {
  readonly method: string
  readonly target: string
  readonly authorization: string | undefined
}

/**
 * A proxy of one test. Whatever host a request names, it goes to this machine, at the port that `ports` has in place of
 * the one named. `closed.example` is not let through.
 */
async function startProxy(
  t: TestContext,
  ports: Readonly<Record<string, number>> = {},
  tls: Pair | null = null,
): Promise<{ readonly host: string; readonly port: number; readonly asked: readonly Asked[] }> {
  const asked: Asked[] = []
  const onRequest: RequestListener = (incoming, response) => {
    const { method = '', url: target = '', headers } = incoming
    asked.push({ method, target, authorization: headers['proxy-authorization'] })
    const { port: named, pathname } = new URL(target)
    const port = ports[named || '80'] ?? named
    const { 'proxy-authorization': _, ...others } = headers
    const onward = requestTo({ port, host: '127.0.0.1', method, path: pathname, headers: others }, (answer) => {
      response.writeHead(answer.statusCode ?? 0, answer.headers)
      answer.pipe(response)
    })
    incoming.pipe(onward)
  }
  const proxy = tls === null ? createServer(onRequest) : createTlsServer(tls, onRequest)
  proxy.on('connect', ({ url: target = '', headers }, socket) => {
    asked.push({ method: 'CONNECT', target, authorization: headers['proxy-authorization'] })
    if (target.startsWith('closed.example')) {
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
      return
    }
    const named = target.split(':').at(-1) ?? ''
    const onward = connect(ports[named] ?? Number(named), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      socket.pipe(onward).pipe(socket)
    })
    for (const end of [socket, onward]) end.on('error', () => undefined)
  })
  await once(proxy.listen(0, '127.0.0.1'), 'listening')
  t.after(() => {
    proxy.closeAllConnections()
    proxy.close()
  })
  const { port } = proxy.address() as AddressInfo
  return { host: `127.0.0.1:${port}`, port, asked }
}

const never = () => Promise.reject(new Error('a name was looked up'))
const authorization = `Basic ${Buffer.from('us@er:hunter2').toString('base64')}`

describe('through a proxy', () => {
  test('a webhook without TLS is handed to the proxy, which resolves the name', async (t) => {
    const [receiver, proxy] = [await startReceiver(t, (response) => response.end('hello')), await startProxy(t)]
    const { send } = openChannel(t, { proxyUrl: `http://us%40er:hunter2@${proxy.host}`, resolve: never })
    const url = `http://name.example:${receiver.port}/hook`
    const answer = await send(url, { headers: { 'X-Given': 'a' }, body: 'body' })
    assert.deepEqual([answer.result, answer.answer], ['delivered', 'hello'])
    assert.deepEqual(proxy.asked, [{ method: 'POST', target: url, authorization }])
    const [{ method, path, headers, body } = assert.fail()] = receiver.received
    assert.deepEqual([method, path, body], ['POST', '/hook', 'body'])
    assert.deepEqual([headers.host, headers['x-given']], [`name.example:${receiver.port}`, 'a'])
  })

  test('a webhook with TLS goes through a tunnel, and the name in the certificate is that of the receiver', async (t) => {
    const pair = makePair('receiver')
    const [receiver, proxy] = [await startReceiver(t, undefined, { tls: pair }), await startProxy(t)]
    const proxyUrl = `http://us%40er:hunter2@${proxy.host}`
    const { send } = openChannel(t, { proxyUrl, resolve: never, ca: pair.cert })
    assert.equal((await send(`https://localhost:${receiver.port}/hook`, { body: 'body' })).result, 'delivered')
    assert.deepEqual(proxy.asked, [{ method: 'CONNECT', target: `localhost:${receiver.port}`, authorization }])
    assert.deepEqual([receiver.received[0]?.path, receiver.received[0]?.body], ['/hook', 'body'])
    assert.equal(receiver.received[0]?.headers['proxy-authorization'], undefined)
    assert.deepEqual(
      await send(`https://name.example:${receiver.port}/`),
      failure('the certificate of the receiver is for another name'),
    )
  })

  test('with TLS of its own, the proxy is known by its own name', async (t) => {
    const pair = makePair('both')
    const [plain, secure] = [await startReceiver(t), await startReceiver(t, undefined, { tls: pair })]
    const proxy = await startProxy(t, {}, pair)
    const proxyUrl = `https://localhost:${proxy.port}`
    const { send } = openChannel(t, { proxyUrl, ca: pair.cert })
    assert.equal((await send(`http://name.example:${plain.port}/`)).result, 'delivered')
    assert.equal((await send(`https://localhost:${secure.port}/`)).result, 'delivered')
    const wary = openChannel(t, { proxyUrl })
    assert.equal((await wary.send(`http://name.example:${plain.port}/`)).result, 'failed')
    assert.deepEqual([plain.received.length, secure.received.length], [1, 1])
  })

  test('a receiver may go over to TLS by a redirect, and not back', async (t) => {
    const pair = makePair('receiver')
    const plain = await startReceiver(t, (response) => {
      response.writeHead(308, { Location: 'https://localhost/' }).end()
    })
    const secure = await startReceiver(
      t,
      (response, { path }) => {
        if (path === '/back') response.writeHead(308, { Location: 'http://localhost/' })
        response.end()
      },
      { tls: pair },
    )
    const proxy = await startProxy(t, { 80: plain.port, 443: secure.port })
    const { send } = openChannel(t, { proxyUrl: `http://${proxy.host}`, ca: pair.cert })
    assert.equal((await send('http://user:pass@localhost/', { body: 'body' })).result, 'delivered')
    const [{ method, body, headers } = assert.fail()] = secure.received
    const shown = `Basic ${Buffer.from('user:pass').toString('base64')}`
    assert.deepEqual([method, body, headers.authorization], ['POST', 'body', shown])
    assert.equal((await send('https://localhost/back')).reason, 'the receiver redirects to another host')
    assert.equal(plain.received.length, 1)
  })

  test('an address in the URL is judged all the same', async (t) => {
    const proxy = await startProxy(t)
    const { send } = openChannel(t, { proxyUrl: `http://${proxy.host}`, allowLoopback: false })
    for (const scheme of ['http', 'https']) {
      assert.deepEqual(
        await send(`${scheme}://169.254.169.254/latest/`),
        failure('nothing is sent to the address of the receiver (metadata service)'),
      )
      assert.deepEqual(
        await send(`${scheme}://127.0.0.1/`),
        failure('nothing is sent to the address of the receiver (loopback)'),
      )
    }
    assert.deepEqual(proxy.asked, [])
  })

  test('what the proxy refuses is a failure', async (t) => {
    const proxy = await startProxy(t)
    const { send } = openChannel(t, { proxyUrl: `http://${proxy.host}` })
    const answer = await send('https://closed.example/')
    assert.deepEqual(answer, failure('the proxy refuses the way to the receiver'))
  })

  test('a proxy that is not there, or says nothing, is a failure', async (t) => {
    const gone = openChannel(t, { proxyUrl: 'http://127.9.9.9:1' })
    const silentProxy = await startTcpReceiver(t, () => undefined)
    const silent = openChannel(t, { proxyUrl: silentProxy, headersSeconds: 0.1 })
    for (const url of ['http://name.example/', 'https://name.example/']) {
      assert.deepEqual(await gone.send(url), failure('the connection is refused'))
    }
    for (const url of ['http://name.example/', 'https://name.example/']) {
      assert.deepEqual(await silent.send(url), failure('the receiver does not answer in time'))
    }
  })
})
