import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type NetworkProxy, startProxy } from '../../packages/server/test/storage/postgres-proxy.ts'
import {
  administer,
  missingPostgres,
  type PostgresServer,
  type ServerControl,
  startOwnPostgres,
} from '../../packages/server/test/storage/postgres-server.ts'
import { until } from '../../packages/server/test/support/until.ts'
import { startService } from '../support/service.ts'
import { underLoad } from './under-load.ts'

const CONFIG = '[transport]\nmax_messages_per_page = 1000\n'
/** Time in which a failover manager makes up its mind; the standby answers reads meanwhile. */
const UNDECIDED_MS = 1_000

interface Pair {
  readonly primary: PostgresServer
  readonly standby: PostgresServer
  stop(): Promise<void>
}

/** A primary that acknowledges nothing that its standby has not written to disk. */
async function startPair(): Promise<Pair> {
  const primary = await startOwnPostgres()
  const standby = await startOwnPostgres({ standbyOf: primary })
  await administer(primary.uri, "ALTER SYSTEM SET synchronous_standby_names = '*'")
  await administer(primary.uri, 'SELECT pg_reload_conf()')
  const isSynchronous = "SELECT FROM pg_stat_replication WHERE sync_state = 'sync'"
  await until(async () => (await administer(primary.uri, isSynchronous)).length > 0)
  return {
    primary,
    standby,
    async stop() {
      await standby.stop()
      await primary.stop()
    },
  }
}

const controlOf = ({ control }: PostgresServer) => control as ServerControl

describe('a failover', { skip: (await missingPostgres({ isOwn: true })) ?? false }, () => {
  async function failOver(
    { primary, standby }: Pair,
    address: string,
    onDown: () => void = () => undefined,
  ): Promise<void> {
    const services = await Promise.all([1, 2].map(() => startService({ config: CONFIG, args: ['--storage', address] })))
    try {
      const urls = services.map(({ url }) => url)
      const { refused, recoveryMs } = await underLoad(urls, async () => {
        await controlOf(primary).killForGood()
        onDown()
        await sleep(UNDECIDED_MS)
        await controlOf(standby).promote()
      })
      assert.ok(refused > 0, 'nothing was refused meanwhile')
      assert.ok(recoveryMs < 5_000, `the service came back after ${recoveryMs} ms`)
      for (const service of services) await service.stop()
    } finally {
      await Promise.all(services.map((service) => service.kill()))
    }
  }

  test('between the hosts of an address loses nothing that was acknowledged', async () => {
    const pair = await startPair()
    const hosts = [pair.primary, pair.standby].map(({ port }) => `127.0.0.1:${port}`).join()
    await failOver(pair, `postgres://postgres@${hosts}/postgres?target_session_attrs=read-write`).finally(pair.stop)
  })

  test('behind one address, which leads to the standby before that takes writes, loses nothing either', async () => {
    const pair = await startPair()
    const proxy: NetworkProxy = await startProxy(pair.primary.port)
    await failOver(pair, `postgres://postgres@127.0.0.1:${proxy.port}/postgres`, () => {
      proxy.leadTo(pair.standby.port)
      proxy.cutAll()
    }).finally(async () => {
      await proxy.close()
      await pair.stop()
    })
  })
})
