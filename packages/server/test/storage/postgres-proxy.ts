import { createServer, connect as open, type Socket } from 'node:net'

/** Stands between a node and its server, and does to connections what networks do. */
export interface NetworkProxy {
  readonly port: number
  /** Cuts every connection there is, in the middle of whatever it carries. */
  cutAll(): void
  /** Ends the side to the server of every connection, and leaves the node waiting. */
  halfCloseAll(): void
  /** Holds back what servers answer from now on. */
  delay(milliseconds: number): void
  /** Leads connections to another server from now on; those there are stay. */
  leadTo(port: number): void
  close(): Promise<void>
}

export async function startProxy(firstPort: number): Promise<NetworkProxy> {
  let targetPort = firstPort
  const pairs = new Set<{ near: Socket; far: Socket }>()
  let delayMs = 0
  const server = createServer((near) => {
    const far = open(targetPort, '127.0.0.1')
    const pair = { near, far }
    pairs.add(pair)
    const drop = () => {
      near.destroy()
      far.destroy()
      pairs.delete(pair)
    }
    near.on('error', drop).on('close', drop)
    far.on('error', drop).on('close', drop)
    near.on('data', (data) => far.write(data))
    far.on('data', (data) => {
      if (delayMs === 0) near.write(data)
      else setTimeout(() => near.writable && near.write(data), delayMs)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const cutAll = () => {
    for (const { near, far } of [...pairs]) {
      near.destroy()
      far.destroy()
    }
  }
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    cutAll,
    halfCloseAll() {
      for (const { far } of [...pairs]) far.end()
    },
    delay(milliseconds) {
      delayMs = milliseconds
    },
    leadTo(port) {
      targetPort = port
    },
    async close() {
      cutAll()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
