import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A webhook of the test's own. */
export interface Receiver {
  /** Paths may be added to it. */
  readonly url: string
  close(): Promise<void>
}

/** `hear` is told of each notification that came whole: the path it came to, and the body. It answers the status. */
export async function startReceiver(
  hear: (path: string, body: string, request: IncomingMessage) => number | Promise<number>,
): Promise<Receiver> {
  const receive = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = []
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer)
    } catch {
      // Who sent it has gone.
      return
    }
    response.statusCode = await hear(request.url ?? '', Buffer.concat(chunks).toString(), request)
    response.end()
  }
  const server = createServer((request, response) => void receive(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
