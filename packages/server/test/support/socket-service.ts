import assert from 'node:assert/strict'
import { afterEach } from 'node:test'
import { type Listener, listen } from '../../src/http/listener.ts'
import { type AccessSeams, type InProcessService, openInProcess, type Seams } from './in-process.ts'
import { listenerOptions } from './listener-options.ts'
import { SocketClient } from './socket-client.ts'

/** A service in this process, at a time that the test decides, behind a real port. */
export interface SocketService extends InProcessService {
  readonly listener: Listener
  readonly port: number
  connect(options?: Parameters<typeof SocketClient.open>[1]): Promise<SocketClient>
  /** As at the end of the service. */
  shutDown(): Promise<void>
}

/** What was opened in a test ends with it, and fails it when the service had trouble of its own. */
export function socketServices(): (
  env?: Record<string, string>,
  options?: Parameters<typeof listenerOptions>[0],
  seams?: Seams,
  access?: AccessSeams,
) => Promise<SocketService> {
  const opened: SocketService[] = []
  const clients: SocketClient[] = []
  afterEach(async () => {
    for (const { ws } of clients.splice(0)) ws.terminate()
    for (const service of opened.splice(0)) {
      await service.shutDown()
      await service.close()
      assert.deepEqual(service.troubles, [])
    }
  })
  return async (env = {}, options = {}, seams = {}, access = {}) => {
    const service = await openInProcess(env, seams, access)
    const { clock, handle, upgrade } = service
    const listener = await listen(handle, listenerOptions({ clock, upgrade, maxConnections: 10_000, ...options }))
    const { port } = listener
    const started = {
      ...service,
      listener,
      port,
      async connect(options = {}) {
        const client = await SocketClient.open(port, options)
        clients.push(client)
        return client
      },
      shutDown: () => {
        service.answerWaiting()
        return listener.close()
      },
    }
    opened.push(started)
    return started
  }
}
