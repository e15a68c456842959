import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { missingPostgres } from '../../packages/server/test/storage/postgres-server.ts'
import { checkHistory } from '../crash/check.ts'
import { History } from '../crash/history.ts'
import { runLoad } from '../crash/load.ts'
import { type Service, startService } from '../support/service.ts'
import { createDatabase } from './database.ts'

/** In each of them both nodes are killed, one after the other. */
const ROUNDS = 10
const LONGEST_PAUSE_MS = 400
const CONFIG = '[transport]\nmax_messages_per_page = 1000\n'

const missing = await missingPostgres()

test('what was acknowledged survives kill -9 of nodes under load, twenty times', {
  skip: missing ?? false,
}, async (t) => {
  const database = await createDatabase()
  const started: Service[] = []
  t.after(async () => {
    await Promise.all(started.map((node) => node.kill()))
    await database.drop()
  })
  const start = async () => {
    const node = await startService({ args: ['--storage', database.uri], config: CONFIG })
    started.push(node)
    return node
  }
  const history = new History()
  for (let round = 0; round < ROUNDS; round++) {
    const nodes = await Promise.all([start(), start()])
    await checkHistory(nodes[0].url, history)
    const loads = nodes.map(({ url }, i) => runLoad(url, history, 2 * round + i))
    for (const node of nodes) {
      await sleep(Math.random() * LONGEST_PAUSE_MS)
      await node.kill()
    }
    await Promise.all(loads)
  }
  const node = await start()
  await checkHistory(node.url, history)
  await node.stop()
  assert.ok(history.claims.size > 0 && history.deletions.size > 0, 'the kills met no work')
  t.diagnostic(`${history.batches.length} posts, ${history.deletions.size} deletions, ${history.claims.size} claims`)
})
