import { createSocket } from 'node:dgram'
import type { ResolverOptions } from 'node:dns'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import type { Resolve } from '../../src/delivery/guard/lookup.ts'

const TYPE_A = 1
const NO_SUCH_NAME = 3
const HEADER_BYTES = 12

/**
 * A DNS server of one test, and a way to ask it. `addressesOf` is asked anew for each question: IPv4 addresses; none where
 * there is no such name; null where nothing is to be answered at all.
 */
export async function startDns(
  t: TestContext,
  addressesOf: (name: string) => readonly string[] | null,
): Promise<Resolve> {
  const resolver = await startNameServer(t, addressesOf)
  return async (name) => (await resolver.resolve4(name)).map((address) => ({ address, family: 4 }))
}

/** As above, and who asks it. */
export async function startNameServer(
  t: TestContext,
  addressesOf: (name: string) => readonly string[] | null,
  patience: ResolverOptions = {},
): Promise<Resolver> {
  const server = createSocket('udp4')
  server.on('message', (query, { port, address }) => {
    const addresses = addressesOf(nameIn(query))
    if (addresses !== null) server.send(answerTo(query, addresses), port, address)
  })
  server.bind(0, '127.0.0.1')
  await once(server, 'listening')
  const resolver = new Resolver(patience)
  resolver.setServers([`127.0.0.1:${server.address().port}`])
  t.after(() => {
    resolver.cancel()
    server.close()
  })
  return resolver
}

function nameIn(query: Buffer): string {
  const labels: string[] = []
  for (let at = HEADER_BYTES; query[at] !== 0; at += 1 + (query[at] ?? 0)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + (query[at] ?? 0)))
  }
  return labels.join('.')
}

function answerTo(query: Buffer, addresses: readonly string[]): Buffer {
  const nameEnd = query.indexOf(0, HEADER_BYTES) + 1
  const questionEnd = nameEnd + 4
  const asked = query.readUInt16BE(nameEnd) === TYPE_A ? addresses : []
  const header = Buffer.alloc(HEADER_BYTES)
  query.copy(header, 0, 0, 2)
  // An answer, recursion available.
  header.writeUInt16BE(0x8180 | (addresses.length === 0 ? NO_SUCH_NAME : 0), 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(asked.length, 6)
  // The name by a pointer to the question, type, class, no time to live, four bytes.
  const records = asked.map((address) =>
    Buffer.from([0xc0, HEADER_BYTES, 0, TYPE_A, 0, 1, 0, 0, 0, 0, 0, 4, ...address.split('.').map(Number)]),
  )
  return Buffer.concat([header, query.subarray(HEADER_BYTES, questionEnd), ...records])
}
