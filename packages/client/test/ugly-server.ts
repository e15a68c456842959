import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

/** A request as it came over the wire. */
interface SentRequest {
  readonly method: string
  readonly target: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What a server does with the next connection, or with the next request. */
export type Step =
  | { readonly on: 'connection'; act(socket: Socket): void }
  | { readonly on: 'request'; act(socket: Socket, request: SentRequest): void }

/** A server over TCP that does one step after the other, whatever a server should do. */
export interface UglyServer {
  readonly url: string
  readonly requests: readonly SentRequest[]
  /** Steps that were not taken. */
  left(): number
}

/** It ends with the test. */
export async function startUglyServer(t: TestContext, ...script: readonly Step[]): Promise<UglyServer> {
  const steps = [...script]
  const requests: SentRequest[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    // Clients go when they have had enough.
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
    const [next] = steps
    if (next?.on === 'connection') {
      steps.shift()
      next.act(socket)
      return
    }
    let received = ''
    socket.setEncoding('latin1').on('data', (text: string) => {
      received += text
      for (let found = firstRequest(received); found !== null; found = firstRequest(received)) {
        received = found.rest
        requests.push(found.request)
        const step = steps.shift()
        if (step?.on === 'request') step.act(socket, found.request)
        else socket.destroy()
      }
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, requests, left: () => steps.length }
}

/** A whole answer. `headers` beside its length and its type, which is JSON where they say no other. */
export function answer(status: number, body: string | object = '', headers: Record<string, string> = {}): Step {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return bytes(headOf(status, { 'Content-Length': String(Buffer.byteLength(text)), ...headers }) + text)
}

/** As it stands; then the connection is ended or reset, where it is said. */
export function bytes(text: string, then: 'stay' | 'end' | 'reset' = 'stay'): Step {
  return {
    on: 'request',
    act(socket) {
      // What was written before a reset is lost with it, unless the other side has it.
      socket.write(text, () => {
        if (then === 'end') socket.end()
        if (then === 'reset') socket.resetAndDestroy()
      })
    },
  }
}

/** The head of an answer that says nothing of its length. */
export function headOf(status: number, headers: Record<string, string> = {}): string {
  const lines = Object.entries({ 'Content-Type': 'application/json', ...headers }).map(
    ([name, value]) => `${name}: ${value}`,
  )
  return `HTTP/1.1 ${status} Ugly\r\n${lines.join('\r\n')}\r\n\r\n`
}

/** Before anything was asked. */
export const resetAtOnce: Step = { on: 'connection', act: (socket) => socket.resetAndDestroy() }

/** When it was asked, in place of an answer. */
export const resetWhenAsked: Step = { on: 'request', act: (socket) => socket.resetAndDestroy() }

/** For ever. */
export const silence: Step = { on: 'request', act: () => undefined }

function firstRequest(received: string): { readonly request: SentRequest; readonly rest: string } | null {
  const end = received.indexOf('\r\n\r\n')
  if (end < 0) return null
  const [first = '', ...lines] = received.slice(0, end).split('\r\n')
  const [method = '', target = ''] = first.split(' ')
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  )
  const bodyEnd = end + 4 + Number(headers['content-length'] ?? 0)
  if (received.length < bodyEnd) return null
  return { request: { method, target, headers, body: received.slice(end + 4, bodyEnd) }, rest: received.slice(bodyEnd) }
}
