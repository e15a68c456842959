import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { ImportState } from '../../../src/cli/import/import-state.ts'

const SIDES = { source: 'http://old', destination: 'http://new' }

/** As files were when topics were left out. */
const WITHOUT_TOPICS = `
  CREATE TABLE queue (
    id INTEGER PRIMARY KEY, project TEXT NOT NULL, name TEXT NOT NULL, metadata TEXT, is_begun INTEGER NOT NULL,
    pass INTEGER NOT NULL, UNIQUE (project, name)
  ) STRICT;
  INSERT INTO queue VALUES (7, 'p', 'jobs', '{"a":1}', 1, 1);
  PRAGMA user_version = 0;
`

test('a state file of the time when topics were left out goes on, and a dry run leaves it as it is', () => {
  const folder = mkdtempSync(join(tmpdir(), 'zaqar-import-state-'))
  try {
    const path = join(folder, 'state')
    new ImportState(path, SIDES, { isDry: false }).close()
    const db = new DatabaseSync(path)
    db.exec(`DROP TABLE queue; ${WITHOUT_TOPICS}`)
    db.close()
    for (const isDry of [true, false, false]) {
      const state = new ImportState(path, SIDES, { isDry })
      assert.equal(state.findQueue('p', { kind: 'queue', name: 'jobs' }), true)
      assert.equal(state.findQueue('p', { kind: 'topic', name: 'jobs' }), true)
      const [queue, topic] = [...state.queues('p')]
      assert.deepEqual({ ...queue }, { id: 7, kind: 'queue', name: 'jobs', metadata: '{"a":1}', is_begun: 1 })
      assert.partialDeepStrictEqual({ ...topic }, { kind: 'topic', name: 'jobs', metadata: null, is_begun: 0 })
      state.close()
      const file = new DatabaseSync(path)
      assert.deepEqual({ ...file.prepare('PRAGMA user_version').get() }, { user_version: isDry ? 0 : 1 })
      file.close()
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})
