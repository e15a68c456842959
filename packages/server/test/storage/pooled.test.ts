import { runConformance } from 'zaqar-conformance'
import { abilities, openSqlite } from '../../src/storage/sqlite/open-sqlite.ts'
import { type OpenPart, pooledHarness } from './pooled-stores.ts'

/** In memory: three files for each case take their time. What must outlive the process is tried in pooled-life.test.ts. */
const harness = pooledHarness({ ...abilities, survivesReopen: false }, async (clock) => {
  const open: OpenPart = (idKey) => openSqlite({ path: ':memory:', clock, ...(idKey && { idKey }) })
  return { own: open, pools: [open, open], async drop() {} }
})

runConformance('two pools on sqlite', harness, { sequences: process.env['ZAQAR_TEST_POOLS'] === 'all' ? 1_000 : 30 })
