import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PostgresFacts } from '../../../src/cli/doctor/ask-postgres.ts'
import { checkPostgres } from '../../../src/cli/doctor/postgres.ts'
import { load } from '../../config/memory.ts'
import { found, troubles } from './found.ts'

/** A server as it should be. */
const SETTINGS = {
  server_version: '17.2',
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  autovacuum: 'on',
  statement_timeout: '0',
  archive_mode: 'on',
}
const WELL: Omit<PostgresFacts, 'settings'> = {
  isReadOnly: false,
  lacksWayToListen: false,
  isBare: false,
  schema: { state: { steps: 1, moves: 3 }, newest: { steps: 1, moves: 3 }, missingRight: null },
  connections: { open: 10, most: 97 },
  nodes: [],
  backups: { standbys: 0, archived: 30, lastFailed: 9_000, baseBackup: 3_600 },
  clockAheadMs: 0,
}

function check(facts: Partial<PostgresFacts> = {}, settings: Readonly<Record<string, string>> = {}) {
  const all = new Map(Object.entries({ ...SETTINGS, ...settings }))
  const { config } = load({ env: {} })
  return (findings: Parameters<typeof checkPostgres>[0]) =>
    checkPostgres(findings, { config }, { ...WELL, ...facts, settings: all })
}

async function trouble(facts: Partial<PostgresFacts>, settings?: Readonly<Record<string, string>>): Promise<string> {
  const [first, ...others] = await troubles(check(facts, settings))
  assert.deepEqual(others, [])
  return first ?? assert.fail('nothing is found')
}

test('a server as it should be is well', async () => {
  assert.deepEqual(await found(check()), [
    'ok: PostgreSQL 17.2 answers',
    'ok: what is answered is on the disk: fsync, synchronous_commit and full_page_writes are on',
    'ok: the schema is up to date (step 1, moves 3)',
    'ok: a node needs up to 10 connections; the service can have 97 (open now: 10)',
    'ok: the log is archived, last 30s ago',
    'ok: the newest base backup is 60m old',
  ])
})

const settings: readonly (readonly [Readonly<Record<string, string>>, RegExp])[] = [
  [{ fsync: 'off' }, /^error: fsync is off: .*ALTER SYSTEM SET fsync = on/],
  [{ synchronous_commit: 'off' }, /^error: synchronous_commit is off: what was answered may be lost/],
  [{ synchronous_commit: 'local', synchronous_standby_names: 'b' }, /^warning: synchronous_commit is local/],
  [{ full_page_writes: 'off' }, /^warning: full_page_writes is off/],
  [{ autovacuum: 'off' }, /^error: autovacuum is off/],
  [{ statement_timeout: '3000' }, /^warning: statement_timeout is 3000 ms/],
  [{ archive_mode: 'off' }, /^warning: the log is not archived, so there are no backups but dumps/],
]
for (const [given, expected] of settings) {
  test(`${Object.entries(given)
    .map((pair) => pair.join(' = '))
    .join(', ')} is told of`, async () => {
    assert.match(await trouble({}, given), expected)
  })
}

const facts: Readonly<Record<string, readonly [Partial<PostgresFacts>, RegExp]>> = {
  'a standby': [{ isReadOnly: true }, /^error: the server takes no writes/],
  'a pooler': [{ lacksWayToListen: true }, /^error: .*connection pooler.*listen_uri/],
  'a network without encryption': [{ isBare: true }, /^warning: .*not encrypted -> add sslmode=verify-full/],
  'a right that is missing': [
    { schema: { state: null, newest: { steps: 1, moves: 3 }, missingRight: 'USAGE on the schema zaqar' } },
    /^error: the role of the service lacks USAGE on the schema zaqar/,
  ],
  'an older schema': [
    { schema: { state: { steps: 1, moves: 2 }, newest: { steps: 1, moves: 3 }, missingRight: null } },
    /^warning: the schema \(step 1, moves 2\) is of an older version than this one/,
  ],
  'a newer schema': [
    { schema: { state: { steps: 2, moves: 4 }, newest: { steps: 1, moves: 3 }, missingRight: null } },
    /^warning: the schema \(step 2, moves 4\) was brought forward by a newer version/,
  ],
  'too few connections for one node': [
    { connections: { open: 0, most: 9 } },
    /^error: a node needs up to 10 connections, and the service can have 9/,
  ],
  'connections that others have taken': [
    { connections: { open: 92, most: 97 } },
    /^warning: a node needs up to 10 connections; of 97 others have taken 92/,
  ],
  'too few connections for all nodes': [
    {
      connections: { open: 18, most: 19 },
      nodes: ['10.0.0.1', '10.0.0.2'].map((address) => ({
        address,
        application: 'zaqar/0.1.0 node/26.10.0',
        sessions: 9,
      })),
    },
    /^error: 2 nodes need up to 20 connections, and the service can have 19/,
  ],
  'an archive that fails': [
    { backups: { ...WELL.backups, lastFailed: 10 } },
    /^error: the log could not be archived 10s ago/,
  ],
  'an archive that is empty': [
    { backups: { ...WELL.backups, archived: null, lastFailed: null } },
    /^warning: nothing of the log has been archived yet/,
  ],
  'no base backup': [
    { backups: { ...WELL.backups, baseBackup: null } },
    /^warning: the server knows of no base backup/,
  ],
  'an old base backup': [
    { backups: { ...WELL.backups, baseBackup: 20 * 86_400 } },
    /^warning: the newest base backup is 20d old/,
  ],
}
for (const [name, [given, expected]] of Object.entries(facts)) {
  test(`${name} is told of`, async () => {
    assert.match(await trouble(given), expected)
  })
}
