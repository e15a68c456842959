import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Service, startService } from '../../packages/server/src/service.ts'
import { load, problemsOf } from '../../packages/server/test/config/memory.ts'

let folder: string

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'zaqar-test-'))
})

after(() => rmSync(folder, { recursive: true }))

function start(env: Record<string, string>): Promise<Service> {
  const base = { OS_DEFAULT__DATA_DIR: folder, OS_DRIVERS_TRANSPORT_WSGI__PORT: '0' }
  return startService(load({ env: { ...base, ...env } }).config, [])
}

const HEADERS = {
  'Client-ID': '3381af92-2b9e-11e3-b191-71861300734c',
  'X-Project-Id': 'p1',
  'X-Roles': 'admin',
}

async function status(url: string): Promise<number> {
  return (await fetch(url, { headers: HEADERS })).status
}

describe('a listener for operators', () => {
  test('has the routes for operators to itself', async () => {
    const service = await start({ OS_HTTP__ADMIN_PORT: '0' })
    try {
      assert.equal(await status(`${service.url}/v2/health`), 404)
      assert.equal(await status(`${service.url}/v2/queues`), 200)
      assert.equal(await status(`${service.adminUrl}/v2/health`), 200)
      assert.equal(await status(`${service.adminUrl}/v2/queues`), 200)
    } finally {
      await service.close()
    }
    await assert.rejects(status(`${service.adminUrl}/v2/queues`), 'and ends with the service')
  })

  test('is not there when nobody asks for one', async () => {
    const service = await start({})
    assert.equal(service.adminUrl, null)
    assert.equal(await status(`${service.url}/v2/health`), 200)
    await service.close()
  })

  test('that cannot listen ends the start, and what was started', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    await assert.rejects(start({ OS_HTTP__ADMIN_PORT: String(port) }), { code: 'EADDRINUSE' })
    taken.close()
    const service = await start({ OS_HTTP__ADMIN_PORT: String(port) })
    assert.equal(service.adminUrl, `http://127.0.0.1:${port}`)
    await service.close()
  })

  test('is no more exposed without authentication than the other', () => {
    const [problem = ''] = problemsOf({ env: { OS_HTTP__ADMIN_PORT: '8889', OS_HTTP__ADMIN_BIND: '0.0.0.0' } })
    assert.match(problem, /OS_HTTP__ADMIN_BIND.*other machines may reach 0\.0\.0\.0/)
    load({ env: { OS_HTTP__ADMIN_BIND: '0.0.0.0' } })
  })
})
