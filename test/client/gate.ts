import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** Stands before the service, as a proxy that does not let everything through. */
export interface Gate {
  readonly url: string
  refusesUpgrades: boolean
  refusesEvents: boolean
  /** Connections that were let through so far, of WebSockets. */
  readonly upgrades: number
  /** Cuts all connections. */
  cut(): void
  close(): Promise<void>
}

export async function openGate(service: string): Promise<Gate> {
  const { hostname, port } = new URL(service)
  const sockets = new Set<Duplex>()
  const keep = (socket: Duplex) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket)).on('error', () => {})
  }
  const server = createServer((incoming, response) => forward(incoming, response))
  server.on('connection', keep)
  server.on('upgrade', (incoming: IncomingMessage, socket: Socket) => {
    if (gate.refusesUpgrades) {
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n')
      return
    }
    upgrades += 1
    const way = connect({ host: hostname, port: Number(port) })
    keep(way)
    const head = incoming.rawHeaders.flatMap((name, i, all) => (i % 2 === 0 ? `${name}: ${all[i + 1]}\r\n` : []))
    way.write(`GET ${incoming.url} HTTP/1.1\r\n${head.join('')}\r\n`)
    way.pipe(socket).pipe(way)
    way.once('close', () => socket.destroy())
    socket.once('close', () => way.destroy())
  })

  function forward(incoming: IncomingMessage, response: ServerResponse): void {
    if (gate.refusesEvents && incoming.headers.accept === 'text/event-stream') {
      response.writeHead(406).end()
      return
    }
    const { method, url: path, headers } = incoming
    const passed = request({ hostname, port, method, path, headers, agent: false }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
      answer.once('error', () => response.destroy())
    })
    passed.once('error', () => response.destroy())
    response.once('close', () => passed.destroy())
    incoming.pipe(passed)
  }

  let upgrades = 0
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const gate: Gate = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    refusesUpgrades: false,
    refusesEvents: false,
    get upgrades() {
      return upgrades
    },
    cut,
    async close() {
      const closed = once(server, 'close')
      server.close()
      cut()
      await closed
    },
  }
  return gate
}
