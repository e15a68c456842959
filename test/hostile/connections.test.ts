import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import { type RawAnswer, RawSocket } from '../../packages/server/test/support/raw-socket.ts'
import { CLIENT_ID, PROJECT, TestClient } from '../../packages/server/test/support/test-client.ts'
import { sendOverHttp } from '../support/send-over-http.ts'
import { type Service, startService } from '../support/service.ts'

const KEPT = `Host: localhost\r\nClient-ID: ${CLIENT_ID}\r\nX-Project-Id: ${PROJECT}\r\n`
const IDENTITY = `${KEPT}Connection: close\r\n`
const POST_LINE = 'POST /v2/queues/jobs/messages HTTP/1.1\r\n'
const POST = `${POST_LINE}${IDENTITY}`
const BODY = '{"messages": [{"body": "posted"}]}'
const LENGTH = `Content-Length: ${BODY.length}\r\n`

let service: Service
let client: TestClient
const open: RawSocket[] = []

before(async () => {
  service = await startService({ config: '[http]\nrequest_timeout = 1\n' })
  const send = sendOverHttp(service.url)
  after(() => send.close())
  client = new TestClient(send)
  await client.post('/v2/queues/kept/messages', { messages: [{ body: 'a' }, { body: 'b' }, { body: 'c' }] })
})

afterEach(async () => {
  for (const socket of open.splice(0)) socket.destroy()
  assert.equal((await client.get('/')).status, 300)
  await client.post('/v2/queues/jobs/purge')
  const kept = JSON.parse((await client.get('/v2/queues/kept/messages?echo=true')).text)
  assert.deepEqual(
    kept.messages.map((one: { body: string }) => one.body),
    ['a', 'b', 'c'],
  )
  assert.equal(service.log(), '')
})

after(() => service.stop())

async function connect(): Promise<RawSocket> {
  const socket = await RawSocket.connect(service.port)
  open.push(socket)
  return socket
}

/** Sends all that there is and reads answers until the service closes the connection. */
async function exchange(...data: readonly (string | Uint8Array)[]): Promise<RawAnswer[]> {
  const socket = await connect()
  for (const piece of data) await socket.write(piece)
  return socket.answers()
}

/** As `exchange`, but says at once that nothing more is coming. */
async function exchangeAndClose(data: string): Promise<RawAnswer[]> {
  const socket = await connect()
  socket.halfClose(data)
  return socket.answers()
}

/** The bodies that were posted; they are gone then. */
async function stored(): Promise<unknown[]> {
  const { text } = await client.delete('/v2/queues/jobs/messages?pop=20')
  return JSON.parse(text).messages.map((one: { body: unknown }) => one.body)
}

/** An answer that says that the request is wrong, in the form of all errors. */
function assertRefused(answer: RawAnswer | null | undefined): void {
  assert.equal(answer?.status, 400, JSON.stringify(answer))
  assert.deepEqual(Object.keys(JSON.parse(answer.body)), ['title', 'description'])
  assert.doesNotMatch(answer.body, /\bat .*\.[jt]s:/)
}

describe('several requests on one connection', () => {
  test('that do not wait for answers are answered in order', async () => {
    const posts = Array.from({ length: 20 }, (_, i) => {
      const body = `{"messages": [{"body": ${i}}]}`
      return `${POST_LINE}${KEPT}Content-Length: ${body.length}\r\n\r\n${body}`
    })
    const list = `GET /v2/queues/jobs/messages?echo=true&limit=20 HTTP/1.1\r\n${KEPT}\r\n`
    const answers = await exchange([...posts, list, `GET /nowhere HTTP/1.1\r\n${IDENTITY}\r\n`].join(''))
    assert.deepEqual(
      answers.map(({ status }) => status),
      [...Array(20).fill(201), 200, 404],
    )
    const listed = JSON.parse(answers[20]?.body ?? '').messages.map((one: { body: number }) => one.body)
    assert.deepEqual(
      listed,
      Array.from({ length: 20 }, (_, i) => i),
    )
  })

  for (const nonsense of ['}', '\0\0nonsense\r\n\r\n', '0\r\n\r\n', 'GET\r\n']) {
    test(`of which the last is nonsense are answered before that is refused: ${JSON.stringify(nonsense)}`, async () => {
      const post = `${POST_LINE}${KEPT}${LENGTH}\r\n${BODY}`
      const [first, second, refusal, ...others] = await exchange(post + post + nonsense)
      assert.equal(first?.status, 201)
      assert.equal(second?.status, 201)
      assertRefused(refusal)
      assert.equal(refusal?.headers.get('connection'), 'close')
      assert.deepEqual(others, [])
      assert.deepEqual(await stored(), ['posted', 'posted'])
    })
  }

  test('of which one waits, and nonsense follows, get the answer when it comes', async () => {
    const socket = await connect()
    await socket.write(`GET /v2/queues/jobs/messages?echo=true&wait=20 HTTP/1.1\r\n${KEPT}\r\n}`)
    await client.post('/v2/queues/jobs/messages', { messages: [{ body: 'awaited' }] })
    const [listed, refusal] = await socket.answers()
    assert.match(listed?.body ?? '', /awaited/)
    assertRefused(refusal)
    await stored()
  })

  test('by the thousand, the first of which waits, are answered in order', async () => {
    const wait = `GET /v2/queues/jobs/messages?echo=true&wait=1 HTTP/1.1\r\n${KEPT}\r\n`
    const answers = await exchange(
      `${wait}${`GET / HTTP/1.1\r\n${KEPT}\r\n`.repeat(3000)}GET /end HTTP/1.1\r\n${IDENTITY}\r\n`,
    )
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, ...Array(3000).fill(300), 404],
    )
  })

  test('go on after an error', async () => {
    const wrong = `${POST_LINE}${KEPT}Content-Length: 1\r\n\r\n{`
    const answers = await exchange(`${wrong}${wrong}${POST}${LENGTH}\r\n${BODY}`)
    assert.deepEqual(
      answers.map(({ status }) => status),
      [400, 400, 201],
    )
    assert.deepEqual(await stored(), ['posted'])
  })

  test('of a client that has said all that it will say are all answered', async () => {
    const post = `${POST_LINE}${KEPT}${LENGTH}\r\n${BODY}`
    const answers = await exchangeAndClose(post.repeat(400))
    assert.deepEqual(
      answers.map(({ status }) => status),
      Array(400).fill(201),
    )
    assert.equal(JSON.parse((await client.get('/v2/queues/jobs/stats')).text).messages.total, 400)
  })

  test('do not mistake the body of one for another', async () => {
    const inner = `PUT /v2/queues/smuggled HTTP/1.1\r\n${IDENTITY}\r\n`
    const get = (headers: string) =>
      `GET /v2/queues HTTP/1.1\r\n${headers}Content-Length: ${inner.length}\r\n\r\n${inner}`
    const answers = await exchange(get(KEPT) + get(IDENTITY))
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200],
    )
    assert.doesNotMatch((await client.get('/v2/queues?limit=20')).text, /smuggled/)
  })
})

describe('a body in chunks', () => {
  const CHUNKED = 'Transfer-Encoding: chunked\r\n'

  test('of one byte each is read', async () => {
    const chunks = [...BODY].map((byte) => `1\r\n${byte}\r\n`).join('')
    const [answer] = await exchange(`${POST}${CHUNKED}\r\n`, chunks, '0\r\n\r\n')
    assert.equal(answer?.status, 201)
    assert.deepEqual(await stored(), ['posted'])
  })

  test('with extensions and trailers is read', async () => {
    const [answer] = await exchange(
      `${POST}${CHUNKED}\r\n${BODY.length.toString(16)};a=b\r\n${BODY}\r\n0\r\nClient-ID: x\r\n\r\n`,
    )
    assert.equal(answer?.status, 201)
    assert.deepEqual(await stored(), ['posted'])
  })

  test('holds the metadata of a queue too', async () => {
    const [answer] = await exchange(
      `PUT /v2/queues/chunked HTTP/1.1\r\n${IDENTITY}${CHUNKED}\r\n10\r\n{"owner": "me"} \r\n0\r\n\r\n`,
    )
    assert.equal(answer?.status, 201)
    assert.equal(JSON.parse((await client.get('/v2/queues/chunked')).text).owner, 'me')
  })

  test('that is too long is refused', async () => {
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`
    const [answer] = await exchange(`${POST}${CHUNKED}\r\n`, chunk.repeat(5), '0\r\n\r\n')
    assertRefused(answer)
    assert.match(answer?.body ?? '', /262144/)
  })

  for (const [name, chunks] of [
    ['has no number for a length', 'zz\r\nabc\r\n0\r\n\r\n'],
    ['has a length beyond all measure', `${'f'.repeat(17)}\r\nabc\r\n0\r\n\r\n`],
    ['is longer than its length', '1\r\nabcdef\r\n0\r\n\r\n'],
    ['ends too early', '5\r\nabc'],
  ] as const) {
    test(`that ${name} is refused, and nothing is stored`, async () => {
      for (const answer of await exchangeAndClose(`${POST}${CHUNKED}\r\n${chunks}`)) assertRefused(answer)
      assert.deepEqual(await stored(), [])
    })
  }
})

describe('a body whose length is in doubt', () => {
  for (const lengths of [
    `${LENGTH}Transfer-Encoding: chunked\r\n`,
    `${LENGTH}Content-Length: 5\r\n`,
    'Content-Length: -5\r\n',
    'Content-Length: +5\r\n',
    'Content-Length: 0x22\r\n',
    'Content-Length: 5, 5\r\n',
    'Content-Length: 99999999999999999999\r\n',
    'Content-Length:\r\n',
    'Transfer-Encoding: gzip\r\n',
    'Transfer-Encoding: chunked, identity\r\n',
    'Transfer-Encoding: xchunked\r\n',
  ]) {
    test(`is refused: ${lengths.trim().replaceAll('\r\n', ' and ')}`, async () => {
      assertRefused((await exchange(`${POST}${lengths}\r\n${BODY}`))[0])
      assert.deepEqual(await stored(), [])
    })
  }

  test('is refused when it ends too early', async () => {
    const [answer, ...others] = await exchangeAndClose(`${POST}Content-Length: 1000\r\n\r\n${BODY}`)
    assertRefused(answer)
    assert.deepEqual(others, [])
    assert.deepEqual(await stored(), [])
  })

  test('is refused when it ends too early behind another request, which is answered', async () => {
    const whole = `${POST_LINE}${KEPT}${LENGTH}\r\n${BODY}`
    const [first, refusal] = await exchangeAndClose(`${whole}${POST}Content-Length: 1000\r\n\r\n${BODY}`)
    assert.equal(first?.status, 201)
    assertRefused(refusal)
    assert.deepEqual(await stored(), ['posted'])
  })

  test('whose length is counted in characters is refused', async () => {
    const body = '{"messages": [{"body": "äöü"}]}'
    const [answer] = await exchangeAndClose(`${POST}Content-Length: ${body.length}\r\n\r\n${body}`)
    assertRefused(answer)
  })
})

describe('a body that is too long', () => {
  for (const bytes of [262_145, 2_000_000, 20_000_000]) {
    test(`is refused when it has ${bytes} bytes, also to who sends it to its end first`, async () => {
      const body = Buffer.alloc(bytes, 'x')
      const [answer] = await exchange(`${POST}Content-Length: ${bytes}\r\n\r\n`, body)
      assertRefused(answer)
      assert.match(answer?.body ?? '', /262144/)
    })
  }

  test('is refused before it is sent', async () => {
    const socket = await connect()
    await socket.write(`${POST}Content-Length: 4000000000\r\n\r\n`)
    assertRefused(await socket.answer())
  })

  test('is not asked for', async () => {
    const socket = await connect()
    await socket.write(`${POST}Content-Length: 300000\r\nExpect: 100-continue\r\n\r\n`)
    assertRefused(await socket.answer())
  })
})

describe('a whole address for a target', () => {
  const at = (method: string, path: string, headers = KEPT, body = '') =>
    `${method} http://localhost:8888${path} HTTP/1.1\r\n${headers}Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`

  test('makes no link to that address', async () => {
    const [posted] = await exchange(at('POST', '/v2/queues/jobs/messages', KEPT, BODY))
    assert.match(posted?.headers.get('location') ?? '', /^\/v2\/queues\/jobs\/messages\?ids=/)
    const [listed] = await exchange(at('GET', '/v2/queues/jobs/messages?echo=true'))
    const { messages, links } = JSON.parse(listed?.body ?? '')
    assert.match(messages[0].href, /^\/v2\/queues\/jobs\/messages\//)
    assert.match(links[0].href, /^\/v2\/queues\/jobs\/messages\?/)
    await stored()
  })

  test('is what a signed URL is for', async () => {
    const shared = await client.post('/v2/queues/jobs/share', { paths: ['messages'], methods: ['GET'] })
    const { paths, methods, project, expires, signature } = JSON.parse(shared.text)
    const signed = `Host: localhost\r\nClient-ID: ${CLIENT_ID}\r\nX-Project-Id: ${project}\r\nURL-Signature: ${signature}\r\nURL-Expires: ${expires}\r\nURL-Methods: ${methods.join(',')}\r\nURL-Paths: ${paths.join(',')}\r\n`
    assert.equal((await exchange(at('GET', '/v2/queues/jobs/messages', signed)))[0]?.status, 200)
    assert.equal((await exchange(at('GET', '/v2/queues/others/messages', signed)))[0]?.status, 404)
  })
})

describe('Expect', () => {
  test('100-continue is answered before the body is there', async () => {
    const socket = await connect()
    await socket.write(`${POST}${LENGTH}Expect: 100-continue\r\n\r\n`)
    assert.equal((await socket.answer())?.status, 100)
    await socket.write(BODY)
    assert.equal((await socket.answer())?.status, 201)
    assert.deepEqual(await stored(), ['posted'])
  })

  test('of something else gets no status that python-zaqarclient takes for success', async () => {
    const [answer] = await exchange(`${POST}${LENGTH}Expect: a-miracle\r\n\r\n${BODY}`)
    const posted = await stored()
    assert.equal(answer?.status, posted.length === 1 ? 201 : 400)
  })
})

describe('a client that is slow', { concurrency: true }, () => {
  for (const [name, beginning] of [
    ['to begin', ''],
    ['with its header', 'POST /v2/queues/jobs/messages HTTP/1.1\r\nHost: localhost\r\n'],
    ['with its body', `${POST}${LENGTH}\r\n{`],
    ['with its chunks', `${POST}Transfer-Encoding: chunked\r\n\r\n5\r\n{`],
    ['after it was told to go on', `${POST}${LENGTH}Expect: 100-continue\r\n\r\n`],
  ] as const) {
    test(`${name} does not hold its connection for ever`, { timeout: 10_000 }, async () => {
      const socket = await connect()
      await socket.write(beginning)
      for (const answer of await socket.answers()) if (answer.status !== 100) assertRefused(answer)
    })
  }

  test('one byte at a time has as much time as the others and no more', { timeout: 10_000 }, async () => {
    const socket = await connect()
    await socket.write(`${POST}Content-Length: 100000\r\n\r\n`)
    const drip = setInterval(() => void socket.write('x'), 50)
    for (const answer of await socket.answers()) assertRefused(answer)
    clearInterval(drip)
    assert.deepEqual(await stored(), [])
  })
})

describe('headers', () => {
  test('by the thousand are taken or refused, but never in part', async () => {
    const many = Array.from({ length: 3000 }, (_, i) => `a${i}:\r\n`).join('')
    const body = '{"owner": "me"}'
    const [answer] = await exchange(
      `PUT /v2/queues/many HTTP/1.1\r\n${IDENTITY}${many}Content-Length: ${body.length}\r\n\r\n${body}`,
    )
    if (answer?.status === 201) assert.equal(JSON.parse((await client.get('/v2/queues/many')).text).owner, 'me')
    else assertRefused(answer)
  })

  test('of 40 KB are refused', async () => {
    assertRefused((await exchange(`${POST}X-Long: ${'x'.repeat(40_000)}\r\n${LENGTH}\r\n${BODY}`))[0])
    const many = Array.from({ length: 4000 }, (_, i) => `header-${i}: value\r\n`).join('')
    assertRefused((await exchange(`${POST}${many}${LENGTH}\r\n${BODY}`))[0])
    assert.deepEqual(await stored(), [])
  })

  test('leave room for a target of 30 KB and not of 40', async () => {
    const get = (length: number) => exchange(`GET /v2/queues?marker=${'x'.repeat(length)} HTTP/1.1\r\n${IDENTITY}\r\n`)
    assert.equal((await get(30_000))[0]?.status, 200)
    assertRefused((await get(40_000))[0])
  })

  test('that name a client twice are refused', async () => {
    const [answer] = await exchange(`${POST}Client-ID: ${CLIENT_ID}\r\n${LENGTH}\r\n${BODY}`)
    assertRefused(answer)
    assert.equal(JSON.parse(answer?.body ?? '').title, 'Wrong UUID value')
  })

  test('may hold any bytes but control characters', async () => {
    const get = (project: string) =>
      `GET /v2/queues HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nClient-ID: ${CLIENT_ID}\r\nX-Project-Id: ${project}\r\n\r\n`
    assert.equal((await exchange(Buffer.from(get('Grüße'))))[0]?.status, 200)
    assert.equal((await exchange(Buffer.from(get('\xff\xfe'), 'latin1')))[0]?.status, 200)
    for (const control of ['\0', '\x01', '\x7f', '\n']) assertRefused((await exchange(get(`a${control}b`)))[0])
  })

  test('of an answer name the request', async () => {
    const [answer] = await exchange(`GET /v2/queues HTTP/1.1\r\n${IDENTITY}\r\n`)
    assert.match(answer?.headers.get('x-openstack-request-id') ?? '', /^req-[0-9a-f-]{36}$/)
  })
})

describe('what is no request', () => {
  const nonsense: Record<string, string | Uint8Array> = {
    'an empty line': '\r\n\r\n\r\n',
    'HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'HTTP/3.7': `GET / HTTP/3.7\r\n${IDENTITY}\r\n`,
    'a method of lower case': `get / HTTP/1.1\r\n${IDENTITY}\r\n`,
    'a method that nobody knows': `BREW /v2/queues HTTP/1.1\r\n${IDENTITY}\r\n`,
    'a TLS hello': Buffer.from('16030100a5010000a10303', 'hex'),
    'random bytes': Buffer.from(Array.from({ length: 4000 }, (_, i) => (i * i * 31 + 7) & 0xff)),
    NULs: Buffer.alloc(1000),
    'a header without a colon': `GET / HTTP/1.1\r\n${IDENTITY}nonsense\r\n\r\n`,
    'a blank before the colon': `GET / HTTP/1.1\r\nHost : x\r\n${IDENTITY}\r\n`,
    'a folded header': `GET / HTTP/1.1\r\n${IDENTITY}A: b\r\n c\r\n\r\n`,
    'a target with a blank': `GET /v2/queues/a b HTTP/1.1\r\n${IDENTITY}\r\n`,
    'no target': `GET  HTTP/1.1\r\n${IDENTITY}\r\n`,
    'a relative target': `GET v2/queues HTTP/1.1\r\n${IDENTITY}\r\n`,
  }
  for (const [name, bytes] of Object.entries(nonsense)) {
    test(`is refused or cut off: ${name}`, async () => {
      for (const { status } of await exchange(bytes)) assert.ok(status >= 400 && status < 500, String(status))
    })
  }

  const refused: Record<string, string> = {
    CONNECT: `CONNECT example.com:443 HTTP/1.1\r\n${IDENTITY}\r\n`,
    'half of a head': 'GET / HTTP/1.1\r\nHost: lo',
    'two hosts': `GET / HTTP/1.1\r\nHost: localhost\r\n${IDENTITY}\r\n`,
    'the same host twice in other letters': `GET / HTTP/1.1\r\nHOST: localhost\r\n${IDENTITY}\r\n`,
    'HTTP/2.0 in the request line': `GET / HTTP/2.0\r\n${IDENTITY}\r\n`,
  }
  for (const [name, bytes] of Object.entries(refused)) {
    test(`is refused with a title, a description and an id: ${name}`, async () => {
      const [answer] = await exchangeAndClose(bytes)
      assertRefused(answer)
      assert.match(answer?.headers.get('x-openstack-request-id') ?? '', /^req-/)
    })
  }

  const odd: Record<string, readonly [request: string, statuses: readonly number[]]> = {
    'no host': ['GET / HTTP/1.1\r\nConnection: close\r\n\r\n', [300]],
    'a health check of HAProxy': ['OPTIONS / HTTP/1.0\r\n\r\n', [200]],
    'a whole address for a target': [`GET ${'http://localhost/v2/queues'} HTTP/1.1\r\n${IDENTITY}\r\n`, [200]],
    'a whole address without a path': [`GET HTTP://localhost?a=b HTTP/1.1\r\n${IDENTITY}\r\n`, [300]],
    'HTTP/0.9': ['GET /\r\n\r\n', [300, 400]],
    'OPTIONS *': [`OPTIONS * HTTP/1.1\r\n${IDENTITY}\r\n`, [200]],
    'a fragment': [`GET /v2/queues#top HTTP/1.1\r\n${IDENTITY}\r\n`, [200, 400, 404]],
    'HTTP/1.0 without a host': [
      `GET /v2/queues HTTP/1.0\r\nClient-ID: ${CLIENT_ID}\r\nX-Project-Id: p1\r\n\r\n`,
      [200],
    ],
    'an upgrade': [
      `GET /v2/queues HTTP/1.1\r\n${KEPT}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
      [200, 400, 404],
    ],
    'broken escapes': [`GET /v2/queues/%zz%?marker=%zz%&limit=% HTTP/1.1\r\n${IDENTITY}\r\n`, [400]],
  }
  for (const [name, [request, statuses]] of Object.entries(odd)) {
    test(`but nearly so is answered: ${name}`, async () => {
      const socket = await connect()
      await socket.write(request)
      const answer = await socket.answer()
      assert.ok(statuses.includes(answer?.status ?? 0), JSON.stringify(answer))
    })
  }
})

describe('clients that go away', () => {
  test('in the middle of a request leave nothing behind', async () => {
    const beginnings = [
      '',
      'POST',
      POST,
      `${POST}${LENGTH}\r\n`,
      `${POST}${LENGTH}\r\n{"mess`,
      `${POST}Content-Length: 900000\r\n\r\nxx`,
    ]
    for (let round = 0; round < 20; round++) {
      const sockets = await Promise.all(beginnings.map(connect))
      await Promise.all(sockets.map((socket, i) => socket.write(beginnings[i] as string)))
      for (const socket of sockets) {
        if (round % 2 === 0) socket.reset()
        else socket.destroy()
      }
    }
    assert.deepEqual(await stored(), [])
  })

  test('before their answer do not disturb the others', async () => {
    for (let round = 0; round < 20; round++) {
      const gone = await connect()
      await gone.write(`${POST}${LENGTH}\r\n${BODY}`)
      gone.reset()
      assert.equal((await exchange(`GET /v2/queues HTTP/1.1\r\n${IDENTITY}\r\n`))[0]?.status, 200)
    }
  })

  test('by the hundred leave room for the next', async () => {
    await Promise.all(Array.from({ length: 400 }, connect))
    assert.equal((await exchange(`GET /v2/queues HTTP/1.1\r\n${IDENTITY}\r\n`))[0]?.status, 200)
  })
})
