import assert from 'node:assert/strict'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { missingPostgres } from '../../packages/server/test/storage/postgres-server.ts'
import { createDatabase } from '../nodes/database.ts'
import { workersOf } from '../nodes/worker-processes.ts'
import { built } from '../support/built.ts'
import { createDebianRoot, type DebianRoot, missingDebianRoot } from '../support/debian-root.ts'
import { missingPeer } from '../support/peers.ts'
import { startService } from '../support/service.ts'
import { useService } from './use-service.ts'

const missing = missingDebianRoot() || missingPeer('binutils')
const withoutPostgres = (await missingPostgres()) ?? false

describe('the executable, on a Debian without Node', { skip: missing }, () => {
  let root: DebianRoot

  before(() => {
    root = createDebianRoot()
    cpSync(built().executable, join(root.folder, 'usr/local/bin/zaqar'))
  })
  after(() => root.remove())

  const start = (...args: readonly string[]) =>
    startService({ command: [...root.under, 'zaqar'], dataDir: '/var/lib/zaqar', args })

  test('serves, and ends when it is told to', async () => {
    const service = await start()
    try {
      await useService(service.url)
    } finally {
      await service.stop()
    }
  })

  test('keeps what it has answered, and its commands ask it', async () => {
    const service = await start()
    try {
      root.run('zaqar', '--url', service.url, 'message', 'post', 'kept', '{"order": 1}')
    } finally {
      await service.kill()
    }
    const again = await start()
    try {
      assert.match(root.run('zaqar', 'completion', 'words', '--url', again.url, '--', 'tail', 'k'), /^kept$/m)
      assert.match(root.run('zaqar', '--url', again.url, 'message', 'pop', 'kept', '--json'), /"order": ?1/)
    } finally {
      await again.stop()
    }
  })

  test('has workers that share a PostgreSQL', { skip: withoutPostgres }, async () => {
    const database = await createDatabase()
    const service = await start('--workers', '2', '--storage', database.uri)
    try {
      assert.equal(workersOf(service.pid).length, 2)
      await useService(service.url)
    } finally {
      await service.stop()
      await database.drop()
    }
  })
})
