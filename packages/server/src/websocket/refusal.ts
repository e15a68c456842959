import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { printJson } from '../model/json.ts'
import type { Clock } from '../platform/clock.ts'
import type { WireError } from '../wire/wire-error.ts'

/** For a client to read why it was refused. */
const LINGER_MS = 1_000

/** Answers a request for an upgrade that is not granted, over HTTP, and ends the connection. */
export function refuseUpgrade(socket: Socket, { status, title, description, headers }: WireError, clock: Clock): void {
  const body = printJson({ title, ...(description === undefined ? {} : { description }) })
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ]
  // What the client sends on is not looked at, but were it not taken, its system might never show the answer.
  socket.resume()
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => {
    clock.at(clock.now() + LINGER_MS, () => socket.destroy())
  })
}
