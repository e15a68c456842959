import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

/** When a POST of messages is met: before the service has it, or when its answer is there, which nobody has yet. */
type Moment = 'before' | 'after'

export interface CuttingProxy {
  readonly url: string
  /** At the POST of that number from now on, from 0, `act` is called; it answers whether the answer goes on. */
  cut(post: number, moment: Moment, act: () => boolean): void
  close(): Promise<void>
}

interface Differences {
  /** The service does not know `Idempotency-Key`, as upstream's. */
  readonly forgetsKeys?: boolean
  /** An error that is answered to what asks for this path; null: the service answers. */
  readonly statusOf?: (path: string) => number | null
}

/** A proxy in front of a service, by which it is as another one. */
export async function startCuttingProxy(
  service: string,
  { forgetsKeys = false, statusOf = () => null }: Differences = {},
): Promise<CuttingProxy> {
  const agent = new Agent({ keepAlive: true })
  let planned: { post: number; moment: Moment; act: () => boolean } | null = null
  const meets = (incoming: IncomingMessage, moment: Moment): boolean => {
    if (planned?.moment !== moment || incoming.method !== 'POST' || !incoming.url?.endsWith('/messages')) return false
    planned.post -= 1
    return planned.post < 0
  }
  const goesOn = (incoming: IncomingMessage, moment: Moment): boolean => {
    if (!meets(incoming, moment)) return true
    const { act } = planned as { act: () => boolean }
    planned = null
    return act()
  }
  const pass = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const body = await buffer(incoming).catch(() => null)
    if (body === null || !goesOn(incoming, 'before')) {
      incoming.socket.destroy()
      return
    }
    const status = statusOf(incoming.url as string)
    if (status !== null) return void outgoing.writeHead(status).end()
    const { 'idempotency-key': key, ...headers } = incoming.headers
    const sent = request(new URL(incoming.url as string, service), {
      agent,
      method: incoming.method as string,
      headers: { ...headers, ...(key !== undefined && !forgetsKeys && { 'idempotency-key': key }) },
    })
    sent.on('error', () => incoming.socket.destroy())
    sent.on('response', async (response) => {
      const text = await buffer(response)
      if (goesOn(incoming, 'after')) outgoing.writeHead(response.statusCode as number, response.headers).end(text)
      else incoming.socket.destroy()
    })
    sent.end(body)
  }
  const server = createServer((incoming, outgoing) => void pass(incoming, outgoing))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    cut(post, moment, act) {
      planned = { post, moment, act }
    },
    async close() {
      server.close()
      server.closeAllConnections()
      agent.destroy()
      await once(server, 'close')
    },
  }
}
