import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertError, json } from '../support/answers.ts'
import { openInProcess } from '../support/in-process.ts'

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
    const policy = '"permissions:get": "role:admin"'
    const read = (path: string) => (path === '/etc/zaqar/policy.yaml' ? policy : null)
    const files = { readFile: read, stamp: read, listFolder: () => null }
    const service = await openInProcess({ OS_OSLO_POLICY__POLICY_FILE: '/etc/zaqar/policy.yaml' }, {}, { files })
    assertError(await service.client.get('/v2/permissions'), 403, 'Not authorized')
    await service.close()
  })
})
