import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { SMTPServerOptions } from 'smtp-server'
import type { Mail } from '../../src/delivery/channel.ts'
import { createMailChannel } from '../../src/delivery/channels/mail.ts'
import type { SmtpServer } from '../../src/delivery/channels/smtp.ts'
import { makePair } from '../support/certificates.ts'
import { startMailServer } from '../support/mail-server.ts'

const mail: Mail = {
  from: 'owner@example.org',
  to: 'one@example.com',
  cc: null,
  bcc: null,
  subject: 'News',
  text: '{"body": {"n": 1}, "queue_name": "q"}',
}
const never = new AbortController().signal
const pair = makePair('mail.example')
const tls: SMTPServerOptions = { key: pair.key, cert: pair.cert }
const login = { user: 'zaqar', password: 'secret word' }
const accounts: SMTPServerOptions = {
  disabledCommands: [],
  onAuth({ username, password }, _session, done) {
    if (username === login.user && password === login.password) done(null, { user: username })
    else done(Object.assign(new Error(`Who is ${username}`), { responseCode: 535 }))
  },
}

function open(
  t: TestContext,
  server: Partial<SmtpServer> & { port: number },
  { timeoutSeconds = 20, atOnce = 5 } = {},
) {
  const carrier: SmtpServer = { host: '127.0.0.1', security: 'none', login: null, ca: null, ...server }
  const channel = createMailChannel({ carrier, timeoutSeconds, atOnce })
  t.after(() => channel.close())
  return channel
}

function failure(reason: string, answer: string | null = null) {
  return { result: 'failed', status: null, reason, answer, retryAfterSeconds: null }
}

const delivered = { result: 'delivered', status: null, reason: null, answer: null, retryAfterSeconds: null }

/** A server of bare sockets, closed with all of them when the test is over. */
async function startSockets(t: TestContext, onSocket: (socket: Socket) => void) {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    onSocket(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { server, port: (server.address() as AddressInfo).port }
}

test('a mail arrives over plain SMTP with the headers of a notification', async (t) => {
  const server = await startMailServer(t)
  assert.deepEqual(await open(t, server).send(mail, never), delivered)
  const [received] = server.received
  assert.deepEqual([received?.from, received?.to], ['owner@example.org', ['one@example.com']])
  const names = ['from', 'to', 'subject', 'content-type', 'content-transfer-encoding', 'mime-version', 'auto-submitted']
  assert.deepEqual(
    names.map((name) => received?.headers.get(name)),
    ['owner@example.org', 'one@example.com', 'News', 'text/plain; charset=utf-8', '7bit', '1.0', 'auto-generated'],
  )
  assert.equal(received?.body, mail.text)
  assert.equal(received?.headers.has('x-mailer'), false)
})

test('a subject and a text in any script arrive', async (t) => {
  const server = await startMailServer(t)
  const text = `{"body": "${'длинный текст '.repeat(20)}"}\n.\nFrom here`
  await open(t, server).send({ ...mail, subject: 'Новости ✓', text }, never)
  const [received] = server.received
  const words = received?.headers.get('subject')?.split(' ') ?? []
  const decoded = words.map((word) => Buffer.from(word.replace(/^=\?UTF-8\?B\?(.*)\?=$/, '$1'), 'base64').toString())
  assert.equal(decoded.join(''), 'Новости ✓')
  assert.equal(
    Buffer.from(received?.body.replace(/\s/g, '') ?? '', 'base64')
      .toString()
      .replace(/\r/g, ''),
    text,
  )
})

test('several receivers get one mail, and hidden ones are in no header', async (t) => {
  const server = await startMailServer(t)
  const to = 'one@example.com, two@example.com,one@example.com'
  await open(t, server).send({ ...mail, to, cc: 'three@example.com', bcc: 'four@example.com' }, never)
  const [received] = server.received
  assert.deepEqual(received?.to, ['one@example.com', 'two@example.com', 'three@example.com', 'four@example.com'])
  assert.equal(received?.headers.get('cc'), 'three@example.com')
  assert.doesNotMatch(received?.raw ?? '', /four|bcc/i)
})

test('a sender may have a name, whatever stands in it', async (t) => {
  const server = await startMailServer(t)
  const channel = open(t, server)
  for (const name of ['Zaqar Notifications', '"Zaqar, Inc."', 'a: b; c, d@e.example']) {
    await channel.send({ ...mail, from: `${name} <no-reply@example.org>` }, never)
  }
  assert.deepEqual(
    server.received.map(({ from, headers }) => [from, headers.get('from')]),
    [
      ['no-reply@example.org', 'Zaqar Notifications <no-reply@example.org>'],
      ['no-reply@example.org', '"Zaqar, Inc." <no-reply@example.org>'],
      ['no-reply@example.org', '"a: b; c, d@e.example" <no-reply@example.org>'],
    ],
  )
})

test('addresses may be in any script', async (t) => {
  const server = await startMailServer(t)
  const to = 'почта@пример.example,name@bücher.example'
  assert.deepEqual(await open(t, server).send({ ...mail, to }, never), delivered)
  assert.deepEqual(server.received[0]?.to, ['почта@пример.example', 'name@bücher.example'])
})

test('nothing that could be read as another header or receiver is sent', async (t) => {
  const server = await startMailServer(t)
  const channel = open(t, server)
  for (const field of ['from', 'to', 'cc', 'bcc', 'subject'] as const) {
    for (const end of [
      '\r\nBcc: evil@example.net',
      '\nBcc: evil@example.net',
      '\rX: y',
      '\0',
      '\u2028x',
      '\x7f',
      '\t',
    ]) {
      const answer = await channel.send({ ...mail, [field]: `${mail[field] ?? 'one@example.com'}${end}` }, never)
      assert.deepEqual(answer, failure(`the field ${field} has a line break or a control character`))
    }
  }
  const noAddress = [
    'one',
    '@example.com',
    'one@',
    'one@example.com evil@example.net',
    'one@example.com;evil@example.net',
    'one@example.com>',
    'One <one@example.com>',
    '<one@example.com>',
    'group:evil@example.net;',
    '"evil@example.net,b"@example.com',
    'one@[127.0.0.1]',
    'one(evil@example.net)@example.com',
    'one@evil.example@example.com',
    '-fevil@example.com',
    `${'a'.repeat(250)}@example.com`,
  ]
  for (const address of noAddress) {
    for (const field of ['to', 'cc', 'bcc'] as const) {
      const answer = await channel.send({ ...mail, [field]: address }, never)
      assert.deepEqual(answer, failure('a receiver is not an address'), `${field} ${address}`)
    }
  }
  for (const from of ['', 'Zaqar', 'a@example.org, b@example.org', 'A <a@example.org> <b@example.org>', 'A <>']) {
    assert.deepEqual(await channel.send({ ...mail, from }, never), failure('the field from is not an address'), from)
  }
  assert.deepEqual(await channel.send({ ...mail, to: ' , ' }, never), failure('there is no receiver'))
  assert.equal(server.connections(), 0)
})

test('twenty receivers are allowed, and no more', async (t) => {
  const server = await startMailServer(t)
  const channel = open(t, server)
  const receivers = Array.from({ length: 20 }, (_, n) => `r${n}@example.com`)
  const to = receivers.slice(1).join(',')
  assert.deepEqual(await channel.send({ ...mail, to, bcc: 'r0@example.com' }, never), delivered)
  const cc = 'x@example.com'
  const tooMany = failure('there are 21 receivers, and 20 are allowed')
  assert.deepEqual(await channel.send({ ...mail, to, cc, bcc: 'r0@example.com' }, never), tooMany)
  assert.equal(server.received.length, 1)
})

test('TLS from the start, with a login', async (t) => {
  const server = await startMailServer(t, { secure: true, ...tls, ...accounts })
  const channel = open(t, { port: server.port, security: 'tls', login, ca: pair.cert })
  assert.deepEqual(await channel.send(mail, never), delivered)
  assert.deepEqual([server.received[0]?.user, server.received[0]?.isSecure], ['zaqar', true])
})

test('STARTTLS, with a login', async (t) => {
  const server = await startMailServer(t, { ...tls, ...accounts })
  const channel = open(t, { port: server.port, security: 'starttls', login, ca: pair.cert })
  assert.deepEqual(await channel.send(mail, never), delivered)
  assert.deepEqual([server.received[0]?.user, server.received[0]?.isSecure], ['zaqar', true])
})

test('a login over plain SMTP, where the operator wants that', async (t) => {
  const server = await startMailServer(t, { ...accounts, allowInsecureAuth: true })
  assert.deepEqual(await open(t, { port: server.port, login }).send(mail, never), delivered)
  assert.deepEqual([server.received[0]?.user, server.received[0]?.isSecure], ['zaqar', false])
})

test('where STARTTLS is demanded and not offered, nothing goes out', async (t) => {
  const server = await startMailServer(t)
  const { result, reason } = await open(t, { port: server.port, security: 'starttls' }).send(mail, never)
  assert.deepEqual([result, reason], ['failed', 'the mail server answered 500 to STARTTLS'])
  assert.equal(server.received.length, 0)
})

test('a certificate that nobody known has signed is refused', async (t) => {
  const secure = await startMailServer(t, { secure: true, ...tls })
  const answer = await open(t, { port: secure.port, security: 'tls' }).send(mail, never)
  assert.deepEqual(answer, failure('there is no connection to the mail server (DEPTH_ZERO_SELF_SIGNED_CERT)'))
  const upgrading = await startMailServer(t, { disabledCommands: ['AUTH'], ...tls })
  const { result } = await open(t, { port: upgrading.port, security: 'starttls' }).send(mail, never)
  assert.equal(result, 'failed')
  assert.equal(secure.received.length + upgrading.received.length, 0)
})

test('a certificate of another name is refused', async (t) => {
  const server = await startMailServer(t, { secure: true, ...tls }, '127.0.0.2')
  const channel = open(t, { host: '127.0.0.2', port: server.port, security: 'tls', ca: pair.cert })
  const reason = 'there is no connection to the mail server (ERR_TLS_CERT_ALTNAME_INVALID)'
  assert.deepEqual(await channel.send(mail, never), failure(reason))
})

test('a login that is refused is a failed try, and says nothing of the account', async (t) => {
  const server = await startMailServer(t, { secure: true, ...tls, ...accounts })
  const bad = { user: 'zaqar', password: 'wrong' }
  const channel = open(t, { port: server.port, security: 'tls', login: bad, ca: pair.cert })
  assert.deepEqual(await channel.send(mail, never), failure('the mail server refused the login'))
  assert.equal(server.received.length, 0)
})

test('a login that the server does not offer is not left out', async (t) => {
  const server = await startMailServer(t)
  const { result } = await open(t, { port: server.port, login }).send(mail, never)
  assert.equal(result, 'failed')
  assert.equal(server.received.length, 0)
})

test('a refusal has its code and what the server said', async (t) => {
  const codes = [451, 550]
  const server = await startMailServer(t, {
    onRcptTo(_address, _session, done) {
      const responseCode = codes.shift()
      done(responseCode === undefined ? null : Object.assign(new Error('Not now'), { responseCode }))
    },
  })
  const channel = open(t, server)
  const greylisted = failure('the mail server answered 451 to RCPT TO', '451 Not now')
  assert.deepEqual(await channel.send(mail, never), greylisted)
  assert.deepEqual(await channel.send(mail, never), failure('the mail server answered 550 to RCPT TO', '550 Not now'))
  assert.deepEqual(await channel.send(mail, never), delivered)
})

test('the text of a mail may be refused, too, and no more than the beginning of the answer is kept', async (t) => {
  const server = await startMailServer(t, {
    onData(stream, _session, done) {
      stream.resume().on('end', () => done(Object.assign(new Error('no '.repeat(500)), { responseCode: 554 })))
    },
  })
  const { reason, answer } = await open(t, server).send(mail, never)
  assert.match(reason ?? '', /^the mail server answered 554/)
  assert.deepEqual([answer?.length, answer?.slice(0, 9)], [500, '554 no no'])
})

test('a receiver who may be accepted later fails the mail, and one who never will does not', async (t) => {
  const server = await startMailServer(t, {
    onRcptTo({ address }, _session, done) {
      const responseCode = address.startsWith('full') ? 452 : address.startsWith('gone') ? 550 : null
      done(responseCode === null ? null : Object.assign(new Error('No'), { responseCode }))
    },
  })
  const channel = open(t, server)
  const gone = await channel.send({ ...mail, to: 'one@example.com,gone@example.com' }, never)
  assert.deepEqual(gone, { ...delivered, answer: '550 No' })
  const full = await channel.send({ ...mail, to: 'one@example.com,full@example.com' }, never)
  assert.deepEqual(full, failure('the mail server answered 452 to RCPT TO', '452 No'))
})

test('a server that says nothing fails the mail when its time is over', async (t) => {
  const { port } = await startSockets(t, () => undefined)
  const answer = await open(t, { port }, { timeoutSeconds: 0.2 }).send(mail, never)
  assert.deepEqual(answer, failure('the mail was not accepted within 0.2 seconds'))
})

test('a server that falls silent in the middle does, too', async (t) => {
  const server = await startMailServer(t, { onData: (stream) => stream.resume() })
  const answer = await open(t, server, { timeoutSeconds: 0.5 }).send(mail, never)
  assert.deepEqual(answer, failure('the mail was not accepted within 0.5 seconds'))
})

test('a server that is not there, or leaves, fails the mail', async (t) => {
  const absent = await startSockets(t, () => undefined)
  absent.server.close()
  const refused = failure('there is no connection to the mail server (ECONNREFUSED)')
  assert.deepEqual(await open(t, { port: absent.port }).send(mail, never), refused)

  const leaving = await startSockets(t, (socket) => {
    socket.write('220 mail.example ESMTP\r\n')
    socket.on('data', () => socket.destroy())
  })
  const { result, reason } = await open(t, { port: leaving.port }).send(mail, never)
  assert.deepEqual([result, reason], ['failed', 'the mail server ended the connection'])

  const curt = await startSockets(t, (socket) => socket.destroy())
  const atOnce = await open(t, { port: curt.port }).send(mail, never)
  assert.deepEqual(atOnce.result, 'failed')
})

test('the signal ends a try', async (t) => {
  const controller = new AbortController()
  const { port } = await startSockets(t, () => controller.abort())
  const answer = await open(t, { port }).send(mail, controller.signal)
  assert.deepEqual(answer, failure('the try was ended before the mail was accepted'))
})

test('closing ends what is under way', async (t) => {
  const { server, port } = await startSockets(t, () => undefined)
  const channel = open(t, { port })
  const connected = once(server, 'connection')
  const answer = channel.send(mail, never)
  await connected
  await channel.close()
  assert.deepEqual(await answer, failure('the try was ended before the mail was accepted'))
})

test('connections are kept, and there are no more at once than allowed', async (t) => {
  let underWay = 0
  let most = 0
  const server = await startMailServer(t, {
    onMailFrom(_address, _session, done) {
      underWay += 1
      most = Math.max(most, underWay)
      done()
    },
    onData(stream, _session, done) {
      stream.resume().on('end', () => {
        underWay -= 1
        done()
      })
    },
  })
  const channel = open(t, server, { atOnce: 2 })
  const answers = await Promise.all(Array.from({ length: 12 }, () => channel.send(mail, never)))
  assert.deepEqual(new Set(answers.map(({ result }) => result)), new Set(['delivered']))
  assert.deepEqual([most, server.connections()], [2, 2])
})
