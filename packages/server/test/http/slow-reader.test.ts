import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import type { Handle } from '../../src/http/handler.ts'
import { type Listener, listen } from '../../src/http/listener.ts'
import { listenerOptions } from '../support/listener-options.ts'

const ANSWER = 'x'.repeat(8 * 1024 * 1024)
/** As many answers as no buffer of the system holds. */
const REQUESTS = 4

let listener: Listener
/** Resolves when the listener has given up a connection. */
const givenUp = Promise.withResolvers<void>()

before(async () => {
  const handle: Handle = async ({ signal, clientAddress }) => {
    // Comes behind every answer, but then there is still an address.
    signal?.().addEventListener('abort', () => clientAddress?.() === null && givenUp.resolve())
    return { status: 200, headers: {}, body: ANSWER }
  }
  listener = await listen(handle, listenerOptions({ silenceSeconds: 1 }))
})

after(() => listener.close())

/** Has asked, and reads nothing. */
async function ask(): Promise<Socket> {
  const socket = connect(listener.port, '127.0.0.1').pause()
  await once(socket, 'connect')
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(REQUESTS))
  return socket
}

/** How much there is to read until the connection ends. */
async function readRest(socket: Socket): Promise<number> {
  let received = 0
  socket.on('data', (chunk) => {
    received += chunk.length
  })
  socket.on('error', () => {})
  socket.resume()
  await new Promise((resolve) => socket.once('close', resolve))
  return received
}

describe('a client that asks', () => {
  test('and reads nothing of the answer loses its connection', { timeout: 20_000 }, async () => {
    const socket = await ask()
    await givenUp.promise
    assert.ok((await readRest(socket)) < REQUESTS * ANSWER.length)
  })

  test('and reads slowly gets the whole answer', { timeout: 20_000 }, async () => {
    const socket = await ask()
    let received = 0
    const startedAt = performance.now()
    while (received < REQUESTS * ANSWER.length) {
      const chunk: Buffer | null = socket.read()
      if (chunk === null) await once(socket, 'readable')
      else received += chunk.length
      // Four times the time in all: the pace is what is tried.
      const due = startedAt + (received / (REQUESTS * ANSWER.length)) * 4000
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())))
    }
    socket.destroy()
  })
})
