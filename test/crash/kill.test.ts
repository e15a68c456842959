import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { tries } from '../../packages/server/test/support/tries.ts'
import { startService } from '../support/service.ts'
import { checkHistory } from './check.ts'
import { History } from './history.ts'
import { runLoad } from './load.ts'

const KILLS = tries(8, 20)
const LONGEST_ROUND_MS = 800
const CONFIG = '[transport]\nmax_messages_per_page = 1000\n'

test('what was acknowledged survives kill -9 at any instant under full load', async (t) => {
  // Stays when the test fails.
  const dataDir = mkdtempSync(join(tmpdir(), 'zaqar-crash-'))
  const start = async () => {
    const service = await startService({ dataDir, config: CONFIG })
    t.after(() => service.kill())
    return service
  }
  const history = new History()
  for (let round = 0; round < KILLS; round++) {
    const service = await start()
    await checkHistory(service.url, history)
    const load = runLoad(service.url, history, round)
    await sleep(Math.random() * LONGEST_ROUND_MS)
    await service.kill()
    await load
  }
  const service = await start()
  await checkHistory(service.url, history)
  await service.stop()
  const messages = history.batches.reduce((sum, { keys }) => sum + keys.length, 0)
  t.diagnostic(`${messages} messages, ${history.deletions.size} deletions, ${history.claims.size} claims`)
  rmSync(dataDir, { recursive: true })
})
