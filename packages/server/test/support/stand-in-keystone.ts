import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What Keystone says of a token, by the token. */
export type KnownTokens = Readonly<Record<string, object>>

export interface StandInKeystone {
  readonly url: string
  close(): void
}

/** Answers about tokens as Keystone does. */
export async function startStandInKeystone(tokens: KnownTokens): Promise<StandInKeystone> {
  const server = createServer(({ method, headers }, response) => {
    const token = method === 'POST' ? tokens['own'] : tokens[String(headers['x-subject-token'])]
    response.writeHead(token === undefined ? 404 : method === 'POST' ? 201 : 200, { 'X-Subject-Token': 'own' })
    response.end(JSON.stringify({ token }))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/v3`, close: () => server.close() }
}
