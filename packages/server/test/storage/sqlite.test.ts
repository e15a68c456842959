import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Harness, runConformance } from 'zaqar-conformance'
import { openSqlite } from '../../src/storage/sqlite/open-sqlite.ts'

/** One file for each store, in a folder of its own, which is left behind when a test on it failed. */
const sqliteHarness: Harness = {
  abilities: { survivesReopen: true, severalClients: false },
  async open(clock) {
    const folder = await mkdtemp(join(tmpdir(), 'zaqar-sqlite-'))
    const open = () => openSqlite({ path: join(folder, 'zaqar.db'), clock })
    return { storage: await open(), reopen: open, drop: () => rm(folder, { recursive: true }) }
  },
}

runConformance('sqlite', sqliteHarness)
