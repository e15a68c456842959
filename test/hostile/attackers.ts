/**
 * Clients without manners, as a process of their own: `node attackers.ts PORT SECONDS`. None reads an answer, all come
 * back when they are thrown out. The queue `large` of project `p1` has to hold messages.
 */
import { connect } from 'node:net'
import { CLIENT_ID, PROJECT } from '../../packages/server/test/support/test-client.ts'

const [port, seconds] = process.argv.slice(2).map(Number) as [number, number]

const IDENTITY = `Host: localhost\r\nClient-ID: ${CLIENT_ID}\r\nX-Project-Id: ${PROJECT}\r\n`
const POST = 'POST /v2/queues/any/messages HTTP/1.1\r\n'
const BODY_BYTES = 250_000
const body = 'x'.repeat(BODY_BYTES)

const wholePost = `${POST}${IDENTITY}Content-Length: ${BODY_BYTES}\r\n\r\n${body}`
const halfPost = wholePost.slice(0, -1)
const tinyGets = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(10_000)
const longList = `GET /v2/queues/large/messages?echo=true&limit=20 HTTP/1.1\r\n${IDENTITY}\r\n`
const docs = `GET /docs HTTP/1.1\r\n${IDENTITY}\r\n`

/** Before one that was thrown out is back, in milliseconds. */
const PAUSE_MS = 50

/** Sends `data`, again and again where `forEver`, and never reads. */
function attack(count: number, data: string, forEver: boolean): void {
  const bytes = Buffer.from(data)
  const begin = () => {
    const socket = connect(port, '127.0.0.1').pause()
    const send = () => {
      while (socket.write(bytes) && forEver);
    }
    if (forEver) socket.on('drain', send)
    socket.on('connect', send)
    socket.on('error', () => {})
    socket.on('close', () => setTimeout(begin, PAUSE_MS))
  }
  for (let i = 0; i < count; i++) setTimeout(begin, (i * 1000) / count)
}

attack(4, wholePost, true)
attack(4, tinyGets, true)
attack(1_000, halfPost, false)
attack(120, longList.repeat(3), false)
attack(120, docs, false)
setTimeout(() => process.exit(), seconds * 1000)
