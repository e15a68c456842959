import { once } from 'node:events'
import { createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A way to the service on which an answer can be held back. */
export interface Gate {
  readonly url: string
  /** Resolves when the service has answered the first request like this; whoever asked is never told. */
  holdAnswer(isLike: (request: IncomingMessage) => boolean): Promise<void>
  close(): void
}

export async function openGate(port: number): Promise<Gate> {
  let isHeld = (_: IncomingMessage): boolean => false
  let held = () => {}
  const server = createServer(async (near, answer) => {
    const { method, url: path, headers } = near
    const far = request({ port, method, path, headers })
    far.on('error', () => answer.destroy())
    near.pipe(far)
    const [came] = (await once(far, 'response')) as [IncomingMessage]
    const body = Buffer.concat(await Array.fromAsync(came))
    if (isHeld(near)) return held()
    answer.writeHead(came.statusCode as number, came.headers).end(body)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    holdAnswer(isLike) {
      isHeld = isLike
      return new Promise((resolve) => {
        held = () => {
          isHeld = () => false
          resolve()
        }
      })
    },
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
