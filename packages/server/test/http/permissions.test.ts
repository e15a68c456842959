import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertError, json } from '../support/answers.ts'
import { type InProcessService, openInProcess } from '../support/in-process.ts'

async function permissions(env: Record<string, string>, roles: string): Promise<string[]> {
  const service = await openInProcess(env)
  try {
    return json(await service.client.with({ 'X-Roles': roles }).get('/v2/permissions')).permissions
  } finally {
    await service.close()
  }
}

const PERSONAS = { OS_POLICY__DEFAULT_RULES: 'personas' }

describe('what the caller may do', () => {
  test('is what the policy says of the roles', async () => {
    const reader = await permissions(PERSONAS, 'reader')
    assert.ok(reader.includes('queues:get_all') && reader.includes('claims:get'))
    assert.deepEqual(
      reader.filter((name) => /:(create|update|delete|purge|share|confirm|redrive|delete_all)$/.test(name)),
      [],
    )
    const member = await permissions(PERSONAS, 'member')
    assert.ok(member.includes('messages:create'))
    assert.deepEqual(
      member.filter((name) => name.startsWith('pools:')),
      [],
    )
    assert.ok((await permissions(PERSONAS, 'admin')).includes('pools:create'))
  })

  test('names nothing that is not served here', async () => {
    const without = await permissions({ OS_DEFAULT__ADMIN_MODE: 'false' }, 'admin')
    assert.deepEqual(
      without.filter((name) => /^(pools|flavors|health):/.test(name)),
      [],
    )
  })

  test('is a secret where the policy says so', async () => {
    const service = await openWithPolicy('"permissions:get": "role:admin"')
    assertError(await service.client.get('/v2/permissions'), 403, 'Not authorized')
    await service.close()
  })

  test('is to list claims where it is to read them, unless the policy tells them apart', async () => {
    for (const [policy, mayRead, mayList] of [
      ['"claims:get": "role:admin"', false, false],
      ['"claims:get_all": "role:admin"', true, false],
      ['"claims:get": "role:admin"\n"claims:get_all": "@"', false, true],
    ] as const) {
      const service = await openWithPolicy(policy)
      const { permissions } = JSON.parse((await service.client.get('/v2/permissions')).text)
      assert.deepEqual([permissions.includes('claims:get'), permissions.includes('claims:get_all')], [mayRead, mayList])
      assert.equal((await service.client.get('/v2/queues/jobs/claims')).status, mayList ? 200 : 403)
      await service.close()
    }
  })
})

function openWithPolicy(policy: string): Promise<InProcessService> {
  const read = (path: string) => (path === '/etc/zaqar/policy.yaml' ? policy : null)
  const files = { readFile: read, stamp: read, listFolder: () => null }
  return openInProcess({ OS_OSLO_POLICY__POLICY_FILE: '/etc/zaqar/policy.yaml' }, {}, { files })
}
