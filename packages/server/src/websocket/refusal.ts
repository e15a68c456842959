import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { printJson } from '../model/json.ts'
import type { WireError } from '../wire/wire-error.ts'

/** Answers a request for an upgrade that is not granted, over HTTP, and ends the connection. */
export function refuseUpgrade(socket: Socket, { status, title, description, headers }: WireError): void {
  const body = printJson({ title, ...(description === undefined ? {} : { description }) })
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}
