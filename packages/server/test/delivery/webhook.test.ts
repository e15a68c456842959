import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { settled } from '../support/settled.ts'
import { until } from '../support/until.ts'
import {
  failure,
  NOW,
  openChannel,
  PATIENCE_SECONDS,
  startFullReceiver,
  startReceiver,
  startTcpReceiver,
} from './webhook-scene.ts'

/** Short enough to be waited for. */
const SOON_SECONDS = 0.1

describe('a webhook', () => {
  test('is a POST of the body with the headers given and a few of ours', async (t) => {
    const receiver = await startReceiver(t, (response) => response.writeHead(202).end('thanks'))
    const { send } = openChannel(t)
    const headers = { 'Content-Type': 'application/json', 'X-Given': 'a, b' }
    const answer = await send(`${receiver.url}/hook?a=b%20c#d`, { headers, body: '{"n": "é"}' })
    assert.deepEqual(answer, {
      result: 'delivered',
      status: 202,
      reason: null,
      answer: 'thanks',
      retryAfterSeconds: null,
    })
    const [{ method, path, body, rawHeaders } = assert.fail()] = receiver.received
    assert.deepEqual([method, path, body], ['POST', '/hook?a=b%20c', '{"n": "é"}'])
    assert.deepEqual(rawHeaders, [
      ...['host', `127.0.0.1:${receiver.port}`],
      ...['connection', 'keep-alive'],
      ...['User-Agent', 'zaqar/1.2.3'],
      ...['Accept', '*/*'],
      ...['Content-Type', 'application/json'],
      ...['X-Given', 'a, b'],
      ...['content-length', '11'],
    ])
  })

  test('has headers of its owner in place of ours, and none of the connection', async (t) => {
    const receiver = await startReceiver(t)
    const given = {
      ...{ Connection: 'close', 'Content-Length': '1', Expect: '100-continue', Host: 'elsewhere', Upgrade: 'h2c' },
      ...{ 'Transfer-Encoding': 'chunked', 'Proxy-Authorization': 'x', TE: 'trailers', 'Keep-Alive': '1' },
      ...{ 'user-agent': 'mine', Accept: 'text/plain', 'x-twice': 'first', 'X-Twice': 'last' },
    }
    assert.equal((await openChannel(t).send(receiver.url, { headers: given, body: 'whole' })).result, 'delivered')
    const [{ headers, body } = assert.fail()] = receiver.received
    assert.equal(body, 'whole')
    assert.deepEqual(headers, {
      host: `127.0.0.1:${receiver.port}`,
      connection: 'keep-alive',
      'user-agent': 'mine',
      accept: 'text/plain',
      'x-twice': 'last',
      'content-length': '5',
    })
  })

  test('with a header that cannot be sent is not sent', async (t) => {
    const receiver = await startReceiver(t)
    const { send } = openChannel(t)
    for (const [name, value] of Object.entries({ 'X-A': 'a\r\nX-B: b', 'X-Wide': '\u{2603}', 'X-Nul': '\0' })) {
      assert.deepEqual(
        await send(receiver.url, { headers: { [name]: value } }),
        failure(`the header "${name}" cannot be sent`),
      )
    }
    for (const name of ['', 'X A', 'X:', 'X\n']) {
      assert.deepEqual(
        await send(receiver.url, { headers: { [name]: 'a' } }),
        failure(`the header ${JSON.stringify(name)} cannot be sent`),
      )
    }
    assert.deepEqual(receiver.received, [])
  })

  test('shows the name and password of its URL as basic authorization', async (t) => {
    const receiver = await startReceiver(t)
    const { send } = openChannel(t)
    for (const [userinfo, pair] of [
      ['user:pass', Buffer.from('user:pass')],
      ['us%40er:p%3Ass%25', Buffer.from('us@er:p:ss%')],
      ['%FC:p', Buffer.from('\ufffd:p')],
      ['%C3%BC:p', Buffer.from('ü:p', 'latin1')],
      ['token:', Buffer.from('token:')],
    ] as const) {
      await send(receiver.url.replace('//', `//${userinfo}@`), { headers: { authorization: 'other' } })
      assert.equal(receiver.received.at(-1)?.headers.authorization, `Basic ${pair.toString('base64')}`, userinfo)
      assert.equal(receiver.received.at(-1)?.path, '/')
    }
  })

  test('to what is no address on the web fails', async (t) => {
    const { send } = openChannel(t)
    for (const url of ['http:', 'mailto:a@b', 'http://a b/', 'http://[fe80::1%25lo]/', 'hook']) {
      assert.deepEqual(await send(url), failure('the subscriber is not an address on the web'))
    }
  })

  test('uses a connection again, and no more of them than allowed', async (t) => {
    const receiver = await startReceiver(t)
    const { send } = openChannel(t, { connectionsPerHost: 2 })
    await send(receiver.url)
    await settled()
    await send(receiver.url)
    assert.equal(new Set(receiver.received.map(({ from }) => from)).size, 1)
    await Promise.all(Array.from({ length: 20 }, () => send(receiver.url)))
    assert.equal(receiver.received.length, 22)
    assert.ok(new Set(receiver.received.map(({ from }) => from)).size <= 2)
  })
})

describe('what a receiver answers', () => {
  test('is a failure unless it is 2xx', async (t) => {
    const receiver = await startReceiver(t, (response, { path }) =>
      response.writeHead(Number(path.slice(1))).end('why'),
    )
    const { send } = openChannel(t)
    for (const status of [200, 204, 226, 299]) {
      assert.equal((await send(`${receiver.url}/${status}`)).result, 'delivered', String(status))
    }
    for (const status of [300, 304, 305, 400, 404, 500, 502, 599]) {
      const expected = { ...failure(`the receiver answered ${status}`), status, answer: status === 304 ? '' : 'why' }
      assert.deepEqual(await send(`${receiver.url}/${status}`), expected)
    }
  })

  test('410 says that it is gone', async (t) => {
    const receiver = await startReceiver(t, (response) => response.writeHead(410).end())
    assert.deepEqual(await openChannel(t).send(receiver.url), {
      result: 'gone',
      status: 410,
      reason: 'the receiver answered 410',
      answer: '',
      retryAfterSeconds: null,
    })
  })

  test('429 and 503 may say how long to wait, within bounds', async (t) => {
    const receiver = await startReceiver(t, (response, { headers, path }) => {
      response.writeHead(Number(path.slice(1)), { 'Retry-After': String(headers['x-after']) }).end()
    })
    const { send } = openChannel(t)
    const after = async (status: number, value: string) =>
      (await send(`${receiver.url}/${status}`, { headers: { 'X-After': value } })).retryAfterSeconds
    assert.equal(await after(429, '7'), 7)
    assert.equal(await after(503, '0'), 0)
    assert.equal(await after(503, new Date(NOW + 90_000).toUTCString()), 90)
    assert.equal(await after(503, new Date(NOW - 90_000).toUTCString()), 0)
    assert.equal(await after(429, '9'.repeat(400)), 3600)
    assert.equal(await after(429, new Date(NOW + 1e12).toUTCString()), 3600)
    assert.equal(await after(429, 'soon'), null)
    assert.equal(await after(500, '7'), null)
  })

  test('is kept up to 1 KiB, as text', async (t) => {
    const receiver = await startReceiver(t, (response) => response.end(`a\0\x80${'é'.repeat(40_000)}`))
    const { send } = openChannel(t)
    const kept = `a\ufffd\x80${'é'.repeat(510)}`
    assert.equal((await send(receiver.url)).answer, kept)
  })

  test('without end counts by its status at once', { timeout: PATIENCE_SECONDS * 1000 }, async (t) => {
    let ended = Promise.withResolvers<void>()
    const receiver = await startReceiver(t, (response, { path }) => {
      response.on('close', () => ended.resolve())
      response.writeHead(Number(path.slice(1)))
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(10_000)));
      }
      response.on('drain', more)
      more()
    })
    const { send } = openChannel(t, { requestSeconds: 2 * PATIENCE_SECONDS })
    for (const [status, result] of [
      [200, 'delivered'],
      [500, 'failed'],
    ] as const) {
      ended = Promise.withResolvers()
      const answer = await send(`${receiver.url}/${status}`)
      assert.deepEqual([answer.result, answer.status, answer.answer], [result, status, 'x'.repeat(1024)])
      await ended.promise
    }
  })

  test('counts by its status also when only half of it comes', async (t) => {
    const receiver = await startTcpReceiver(t, (socket) => {
      socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'))
    })
    const answer = await openChannel(t).send(receiver)
    assert.deepEqual([answer.result, answer.status, answer.answer], ['delivered', 200, 'half'])
  })

  test('that drips counts by its status when the time is over', async (t) => {
    const receiver = await startReceiver(t, (response) => {
      response.flushHeaders()
      const drip = setInterval(() => response.write('x'), 10)
      response.on('close', () => clearInterval(drip))
    })
    const answer = await openChannel(t, { requestSeconds: SOON_SECONDS }).send(receiver.url)
    assert.deepEqual([answer.result, answer.status], ['delivered', 200])
  })

  test('may be announced by 1xx', async (t) => {
    const receiver = await startReceiver(t, (response) => {
      response.writeProcessing()
      response.writeEarlyHints({ link: '</a>; rel=preload' })
      response.writeHead(201).end()
    })
    assert.equal((await openChannel(t).send(receiver.url)).status, 201)
  })
})

describe('a receiver that gives no answer is a failure', () => {
  test('silent after it accepted', async (t) => {
    const receiver = await startTcpReceiver(t, () => undefined)
    const { send } = openChannel(t, { headersSeconds: SOON_SECONDS })
    assert.deepEqual(await send(receiver), failure('the receiver does not answer in time'))
  })

  test('headers that drip', async (t) => {
    const receiver = await startTcpReceiver(t, (socket) => {
      socket.write('HTTP/1.1 200 OK\r\n')
      const drip = setInterval(() => socket.write('X-A: b\r\n'), 10)
      socket.on('close', () => clearInterval(drip))
    })
    const { send } = openChannel(t, { requestSeconds: SOON_SECONDS })
    assert.deepEqual(await send(receiver), failure('the receiver takes too long'))
  })

  test('1xx for ever', async (t) => {
    const receiver = await startTcpReceiver(t, (socket) => {
      const drip = setInterval(() => socket.write('HTTP/1.1 102 Processing\r\n\r\n'), 10)
      socket.on('close', () => clearInterval(drip))
    })
    const { send } = openChannel(t, { requestSeconds: SOON_SECONDS })
    assert.deepEqual(await send(receiver), failure('the receiver takes too long'))
  })

  test('headers without end', async (t) => {
    const receiver = await startTcpReceiver(t, (socket) => {
      socket.on('data', () => socket.write(`HTTP/1.1 200 OK\r\nX-A: ${'b'.repeat(100_000)}`))
    })
    assert.deepEqual(await openChannel(t).send(receiver), failure('the headers of the answer are too long'))
  })

  test('a reset', async (t) => {
    const receiver = await startTcpReceiver(t, (socket) => {
      socket.on('data', () => socket.resetAndDestroy())
    })
    assert.deepEqual(await openChannel(t).send(receiver), failure('the connection broke'))
  })

  test('an end without an answer', async (t) => {
    const receiver = await startTcpReceiver(t, (socket) => {
      socket.on('data', () => socket.end())
    })
    assert.deepEqual(await openChannel(t).send(receiver), failure('the connection broke'))
  })

  test('half of the headers', async (t) => {
    const receiver = await startTcpReceiver(t, (socket) => {
      socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Le'))
    })
    assert.deepEqual(await openChannel(t).send(receiver), failure('the connection broke'))
  })

  test('no HTTP', async (t) => {
    const receiver = await startTcpReceiver(t, (socket) => {
      socket.end('220 mail.example ESMTP\r\n')
    })
    assert.deepEqual(await openChannel(t).send(receiver), failure('the answer is not HTTP'))
  })

  test('nobody who accepts', async (t) => {
    const receiver = await startFullReceiver(t)
    const { send } = openChannel(t, { connectSeconds: SOON_SECONDS })
    assert.deepEqual(await send(receiver), failure('the receiver cannot be reached in time'))
  })

  test('nobody there', async (t) => {
    const receiver = await startTcpReceiver(t, () => undefined)
    const unused = receiver.replace('127.0.0.1', '127.9.9.9')
    assert.deepEqual(await openChannel(t).send(unused), failure('the connection is refused'))
  })
})

describe('a redirect', () => {
  test('is followed at the same host, with method and body or without, as its status says', async (t) => {
    const receiver = await startReceiver(t, (response, { path }) => {
      if (path === '/there') response.end('arrived')
      else response.writeHead(Number(path.slice(1)), { Location: '/there' }).end('elsewhere')
    })
    const { send } = openChannel(t)
    const url = receiver.url.replace('//', '//user:pass@')
    for (const [status, method] of Object.entries({ 301: 'GET', 302: 'GET', 303: 'GET', 307: 'POST', 308: 'POST' })) {
      const headers = { 'Content-Type': 'text/plain', 'X-Given': 'a' }
      const answer = await send(`${url}/${status}`, { headers, body: 'body' })
      assert.deepEqual([answer.result, answer.answer], ['delivered', 'arrived'])
      const { headers: got, ...last } = receiver.received.at(-1) ?? assert.fail()
      assert.deepEqual([last.method, last.path, last.body], [method, '/there', method === 'POST' ? 'body' : ''], status)
      assert.equal(got['content-type'], method === 'POST' ? 'text/plain' : undefined)
      assert.equal(got['x-given'], 'a')
      assert.equal(got.authorization, `Basic ${Buffer.from('user:pass').toString('base64')}`)
    }
  })

  test('is followed three times at most', async (t) => {
    const receiver = await startReceiver(t, (response, { path }) => {
      const left = Number(path.slice(1))
      if (left === 0) response.end()
      else response.writeHead(307, { Location: `/${left - 1}` }).end()
    })
    const { send } = openChannel(t)
    assert.equal((await send(`${receiver.url}/3`)).result, 'delivered')
    const expected = { ...failure('the receiver redirects too often'), status: 307, answer: '' }
    assert.deepEqual(await send(`${receiver.url}/4`), expected)
    assert.equal(receiver.received.length, 8)
  })

  test('to another host, port or scheme is not followed', async (t) => {
    const other = await startReceiver(t)
    const otherHost = await startReceiver(t, undefined, { host: '127.0.0.2' })
    let location = ''
    const receiver = await startReceiver(t, (response) => response.writeHead(308, { Location: location }).end('no'))
    const { send } = openChannel(t)
    for (location of [
      other.url,
      otherHost.url,
      'http://169.254.169.254/latest/meta-data/',
      receiver.url.replace('http', 'https'),
      receiver.url.replace('127.0.0.1', 'localhost'),
      '//[::1]/',
      'https://127.0.0.1/',
      'file:///etc/passwd',
    ]) {
      const expected = { ...failure('the receiver redirects to another host'), status: 308, answer: 'no' }
      assert.deepEqual(await send(receiver.url), expected, location)
    }
    assert.deepEqual([...other.received, ...otherHost.received], [])
  })

  test('without a place to go to is a failure', async (t) => {
    const receiver = await startReceiver(t, (response, { path }) => {
      response.writeHead(302, path === '/none' ? {} : { Location: 'http://[' }).end()
    })
    const { send } = openChannel(t)
    for (const path of ['/none', '/bad']) {
      const answer = await send(`${receiver.url}${path}`)
      assert.deepEqual([answer.result, answer.reason], ['failed', 'the receiver redirects to nowhere'])
    }
  })
})

describe('a try ends early', () => {
  test('by its signal, under way or before', async (t) => {
    const connection = Promise.withResolvers<void>()
    let closed: Promise<unknown> = Promise.resolve()
    const receiver = await startTcpReceiver(t, (socket) => {
      closed = once(socket, 'close')
      socket.on('data', () => connection.resolve())
    })
    const { send } = openChannel(t)
    const stop = new AbortController()
    const answer = send(receiver, {}, stop.signal)
    await connection.promise
    stop.abort()
    assert.deepEqual(await answer, failure('the try was interrupted'))
    await closed
    const unused = receiver.replace('127.0.0.1', '127.9.9.9')
    assert.deepEqual(await send(unused, {}, stop.signal), failure('the try was interrupted'))
  })

  test('by its signal while it waits for a connection, and then is not sent', async (t) => {
    const held: (() => void)[] = []
    const receiver = await startReceiver(t, (response) => held.push(() => response.end()))
    const { send } = openChannel(t, { connectionsPerHost: 1 })
    const first = send(receiver.url, { body: 'first' })
    await until(() => held.length === 1)
    const stop = new AbortController()
    const second = send(receiver.url, { body: 'second' }, stop.signal)
    const third = send(receiver.url, { body: 'third' })
    stop.abort()
    assert.deepEqual(await second, failure('the try was interrupted'))
    held[0]?.()
    await until(() => held.length === 2)
    held[1]?.()
    assert.deepEqual([(await first).result, (await third).result], ['delivered', 'delivered'])
    assert.deepEqual(
      receiver.received.map(({ body }) => body),
      ['first', 'third'],
    )
  })

  test('when the channel is closed', async (t) => {
    const connection = Promise.withResolvers<void>()
    const receiver = await startTcpReceiver(t, (socket) => {
      socket.on('data', () => connection.resolve())
    })
    const { send, close } = openChannel(t)
    const answer = send(receiver)
    await connection.promise
    await close()
    assert.deepEqual(await answer, failure('the service is stopping'))
    assert.deepEqual(await send(receiver), failure('the service is stopping'))
  })
})
