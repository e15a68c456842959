import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startProxy } from '../../packages/server/test/storage/postgres-proxy.ts'
import { missingPostgres } from '../../packages/server/test/storage/postgres-server.ts'
import { createDatabase } from '../nodes/database.ts'
import { startService } from '../support/service.ts'
import { underLoad } from './under-load.ts'

const TROUBLES = 30
const LONGEST_PAUSE_MS = 200
const LONGEST_DELAY_MS = 30

test('connections of two nodes that are cut, delayed and half closed at random lose nothing that was acknowledged', {
  skip: (await missingPostgres()) ?? false,
}, async (t) => {
  const database = await createDatabase()
  const { port } = new URL(database.uri)
  const proxies = await Promise.all([1, 2].map(() => startProxy(Number(port || 5432))))
  const services = await Promise.all(
    proxies.map((proxy) => {
      const address = new URL(database.uri)
      address.port = String(proxy.port)
      const config = '[transport]\nmax_messages_per_page = 1000\n'
      return startService({ config, args: ['--storage', address.href] })
    }),
  )
  t.after(async () => {
    await Promise.all(services.map((service) => service.kill()))
    await Promise.all(proxies.map((proxy) => proxy.close()))
    await database.drop()
  })
  const urls = services.map(({ url }) => url)
  const { posts, refused } = await underLoad(urls, async () => {
    for (let i = 0; i < TROUBLES; i++) {
      const proxy = proxies[i % proxies.length] as (typeof proxies)[number]
      const choice = Math.random()
      if (choice < 0.4) proxy.cutAll()
      else if (choice < 0.7) proxy.halfCloseAll()
      else proxy.delay(Math.random() * LONGEST_DELAY_MS)
      await sleep(Math.random() * LONGEST_PAUSE_MS)
    }
    for (const proxy of proxies) proxy.delay(0)
  })
  assert.ok(refused > 0)
  t.diagnostic(`${posts} posts, ${refused} requests refused`)
})
