import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Harness, runConformance } from 'zaqar-conformance'
import { abilities, openSqlite } from '../../src/storage/sqlite/open-sqlite.ts'
import { tries } from '../support/tries.ts'

/** One file for each store, in a folder of its own, which is left behind when a test on it failed. */
const sqliteHarness: Harness = {
  abilities,
  async open(clock) {
    const folder = await mkdtemp(join(tmpdir(), 'zaqar-sqlite-'))
    const open = () => openSqlite({ path: join(folder, 'zaqar.db'), clock })
    return {
      storage: await open(),
      reopen: open,
      drop: () => rm(folder, { recursive: true }),
    }
  },
  async openPeer({ idKey }, clock) {
    return { storage: await openSqlite({ path: ':memory:', clock, idKey }), async drop() {} }
  },
  // The queue is there by the time when its metadata turn out to be none.
  failNeighbour: ({ queues }, clock) =>
    queues.create({
      key: { project: 'alpha', kind: 'queue', name: 'failing' },
      metadata: null as never,
      now: clock.now(),
    }),
}

runConformance('sqlite', sqliteHarness, { sequences: tries(300, 1000) })
