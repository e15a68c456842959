import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Clock } from '../../packages/server/src/platform/clock.ts'
import { createSystemClock } from '../../packages/server/src/platform/system-clock.ts'
import type { Claim, Storage } from '../../packages/server/src/storage/contract.ts'
import { openPostgres } from '../../packages/server/src/storage/postgres/open-postgres.ts'
import { ServerClock } from '../../packages/server/src/storage/postgres/server-clock.ts'
import { missingPostgres, newSchema } from '../../packages/server/test/storage/postgres-server.ts'
import { TestClient } from '../../packages/server/test/support/test-client.ts'
import { until } from '../../packages/server/test/support/until.ts'
import { missingPeer } from '../support/peers.ts'
import { sendOverHttp } from '../support/send-over-http.ts'
import { type Service, startService } from '../support/service.ts'
import { createDatabase, type SharedDatabase } from './database.ts'

/** Nodes are two seconds apart. What they agree on may differ by this, for a busy machine. */
const TOLERANCE_MS = 500
const OFFSETS_MS = [1_000, -1_000] as const

const missing = await missingPostgres()

/** A command that runs another with a wrong clock. The linker replaces `$LIB`. */
function wrongBy(milliseconds: number): string[] {
  const offset = `${milliseconds > 0 ? '+' : ''}${milliseconds / 1_000}s`
  const library = '/usr/$LIB/faketime/libfaketime.so.1'
  return ['/usr/bin/env', `LD_PRELOAD=${library}`, `FAKETIME=${offset}`, 'FAKETIME_DONT_FAKE_MONOTONIC=1']
}

describe('nodes whose clocks are two seconds apart', { skip: missing ?? missingPeer('libfaketime') }, () => {
  let database: SharedDatabase
  let services: Service[] = []
  const sends: ReturnType<typeof sendOverHttp>[] = []
  let ahead: TestClient
  let behind: TestClient

  before(async () => {
    database = await createDatabase()
    services = await Promise.all(
      OFFSETS_MS.map((ms) => startService({ args: ['--storage', database.uri], under: wrongBy(ms) })),
    )
    for (const { url } of services) sends.push(sendOverHttp(url))
    ;[ahead, behind] = sends.map((send) => new TestClient(send)) as [TestClient, TestClient]
  })
  after(async () => {
    for (const send of sends) send.close()
    await Promise.all(services.map((service) => service.kill()))
    await database.drop()
  })

  for (const direction of ['from the one ahead', 'from the one behind'] as const) {
    const roles = () => (direction === 'from the one ahead' ? ([ahead, behind] as const) : ([behind, ahead] as const))

    test(`${direction}, a delayed message comes to both at one time, which is the right one`, async () => {
      const [poster, other] = roles()
      const queue = `/v2/queues/delayed-${direction.replaceAll(' ', '-')}`
      await poster.put(queue, { _default_message_delay: 2 })
      const claims = [poster, other].map(async (client) => {
        const { status } = await client.post(`${queue}/claims?limit=1&wait=20`, { ttl: 60, grace: 60 })
        assert.equal(status, 201)
        return performance.now()
      })
      // What came before this has been looked for.
      for (const client of [poster, other]) await client.get(`${queue}/stats`)
      const postedAt = performance.now()
      const messages = [{ body: 'for one' }, { body: 'for the other' }]
      assert.equal((await poster.post(`${queue}/messages`, { messages })).status, 201)
      for (const seenAt of await Promise.all(claims)) {
        const afterMs = seenAt - postedAt
        assert.ok(afterMs > 2_000 - TOLERANCE_MS && afterMs < 2_000 + TOLERANCE_MS, `it came after ${afterMs} ms`)
      }
    })

    test(`${direction}, a message and a claim have the same age on both`, async () => {
      const [poster, other] = roles()
      const queue = `/v2/queues/ages-${direction.replaceAll(' ', '-')}`
      await poster.post(`${queue}/messages`, { messages: [{ body: 'x' }] })
      const { headers } = await poster.post(`${queue}/claims`, { ttl: 60, grace: 60 })
      for (const client of [poster, other]) {
        const claim = JSON.parse((await client.get(headers['location'] as string)).text)
        assert.ok(claim.age <= 1 && claim.messages[0].age <= 1, JSON.stringify(claim))
        assert.equal((await client.post(`${queue}/claims`, { ttl: 60, grace: 60 })).status, 204)
      }
    })
  }
})

describe('stores whose clocks are two seconds apart', { skip: missing ?? false }, () => {
  const TTL_SECONDS = 1
  const key = { project: 'p', kind: 'queue', name: 'jobs' } as const
  const local = createSystemClock()
  let database: SharedDatabase
  const nodes: { storage: Storage; clock: ServerClock }[] = []

  before(async () => {
    database = await createDatabase()
    const schema = newSchema()
    for (const ms of OFFSETS_MS) {
      const wrong: Clock = { now: () => local.now() + ms, at: (at, callback) => local.at(at - ms, callback) }
      const clock = await ServerClock.open({ uri: database.uri, local: wrong })
      nodes.push({ clock, storage: await openPostgres({ uri: database.uri, schema, connections: 1, clock }) })
    }
  })
  after(async () => {
    for (const { clock, storage } of nodes) {
      clock.close()
      await storage.close()
    }
    await database.drop()
  })

  for (const [maker, other] of [
    [0, 1],
    [1, 0],
  ] as const) {
    const whose = maker === 0 ? 'the one ahead' : 'the one behind'
    const queueOf = async () => (await nodes[0]?.storage.queues.create({ key, metadata: '{}', now: 0 }))?.queue

    test(`a claim of ${whose} ends for the other when its time is over, and its message then expires for both`, async () => {
      const queue = await queueOf()
      assert.ok(queue !== undefined)
      const [making, looking] = [nodes[maker], nodes[other]] as [(typeof nodes)[0], (typeof nodes)[0]]
      const claim = async ({ storage, clock }: (typeof nodes)[0], ttlSeconds: number): Promise<Claim | null> => {
        const terms = { limit: 1, ttlSeconds, graceSeconds: 0, deadLetter: null }
        const answer = await storage.claims.create({ queue, ...terms, now: clock.now() })
        assert.notEqual(answer, 'stale')
        return answer as Claim | null
      }
      const messages = [{ body: '"m"', ttlSeconds: 2 * TTL_SECONDS, delaySeconds: 0 }]
      await making.storage.messages.append({ queue, clientId: 'c', messages, now: making.clock.now() })
      const startedAt = performance.now()
      assert.notEqual(await claim(making, TTL_SECONDS), null)
      const taken: Claim[] = []
      await until(async () => {
        const claimed = await claim(looking, TTL_SECONDS)
        if (claimed !== null) taken.push(claimed)
        return claimed !== null
      })
      expectAfter(startedAt, TTL_SECONDS * 1_000)
      for (const { id } of taken) await looking.storage.claims.release({ queue, claimId: id, now: looking.clock.now() })
      const isThere = async ({ storage, clock }: (typeof nodes)[0]) => {
        const flags = { hideClientId: null, includeClaimed: true, includeDelayed: true }
        const page = await storage.messages.list({ queue, after: null, limit: 1, ...flags, now: clock.now() })
        return typeof page === 'object' && page.messages.length > 0
      }
      await Promise.all(
        nodes.map(async (node) => {
          await until(async () => !(await isThere(node)))
          expectAfter(startedAt, 2 * TTL_SECONDS * 1_000)
        }),
      )
    })
  }
})

function expectAfter(startedAt: number, ms: number): void {
  const tookMs = performance.now() - startedAt
  assert.ok(tookMs > ms - TOLERANCE_MS && tookMs < ms + TOLERANCE_MS, `${tookMs} ms instead of ${ms}`)
}
