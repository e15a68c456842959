import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ManualClock } from 'zaqar-conformance'
import { createTokenAuthentication } from '../../src/auth/keystone/authenticate-by-token.ts'
import { RareTroubles } from '../../src/auth/keystone/rare-troubles.ts'
import type { Token } from '../../src/auth/keystone/token-document.ts'
import type { TokenVerifier } from '../../src/auth/keystone/token-verifier.ts'
import { type Asker, NOBODY, objectionTo } from '../../src/core/identity.ts'
import { EVERYTHING, type Scope } from '../../src/core/rules/scope.ts'
import { ShownInHeaders } from '../../src/http/shown.ts'

const NOW = 1000

const token = (
  facts: Partial<Token['identity']>,
  accessRules: Scope['accessRules'] = null,
  expiresAt = NOW + 1,
): Token => ({
  identity: { ...NOBODY, project: 'p1', ...facts, scope: { ...EVERYTHING, accessRules }, expiresAt },
  auditId: null,
  length: 0,
})

const tokens: Record<string, Token> = {
  user: token({ userId: 'u1', roles: ['member'] }),
  expired: token({ userId: 'u1', roles: ['member'] }, null, NOW),
  restricted: token({ userId: 'u1' }, [{ method: 'GET', path: '/v2/queues' }]),
  nothing: token({ userId: 'u1' }, []),
  service: token({ userId: 's1', project: 'services', roles: ['service'] }),
  stranger: token({ userId: 'x1', roles: ['member'] }),
}
const verifier = {
  verify: (id: string, _: Asker, allowExpired = false) =>
    (id === 'expired' && !allowExpired ? null : tokens[id]) ?? null,
} as unknown as TokenVerifier

const authentication = (serviceRolesRequired = false) =>
  createTokenAuthentication(
    verifier,
    { serviceRoles: ['service'], serviceRolesRequired },
    new RareTroubles(new ManualClock()),
  )

/** The id of the user, or why there is none. */
async function who(headers: Record<string, string>, { path = '/v2/queues', method = 'GET', required = false } = {}) {
  const judged = await authentication(required)(new ShownInHeaders(headers), {})
  const outcome = 'unauthenticated' in judged ? judged : (objectionTo(judged, { method, path }, NOW) ?? judged)
  if ('unauthenticated' in outcome) return outcome.unauthenticated
  return `${outcome.userId} ${outcome.project} ${outcome.serviceRoles}`
}

describe('a token', () => {
  test('is all that counts', async () => {
    const forged = {
      'x-project-id': 'victim',
      'x-roles': 'admin',
      'x-user-id': 'root',
      'x-identity-status': 'Confirmed',
    }
    assert.equal(await who({ ...forged, 'x-auth-token': 'user' }), 'u1 p1 ')
    assert.equal(await who(forged), 'token.not_accepted')
  })

  test('is needed, and must be valid', async () => {
    for (const headers of [{}, { 'x-auth-token': '' }, { 'x-auth-token': 'junk' }, { 'x-auth-token': 'expired' }]) {
      assert.equal(await who(headers as Record<string, string>), 'token.not_accepted')
    }
  })

  test('of an application credential is good for what its rules allow', async () => {
    const headers = { 'x-auth-token': 'restricted' }
    assert.equal(await who(headers), 'u1 p1 ')
    assert.equal(await who(headers, { path: '/v2/queues/a' }), 'token.not_accepted')
    assert.equal(await who(headers, { method: 'POST' }), 'token.not_accepted')
    assert.equal(await who({ 'x-auth-token': 'nothing' }), 'token.not_accepted')
  })
})

describe('a service token', () => {
  test('is no token of a user', async () => {
    assert.equal(await who({ 'x-service-token': 'service' }), 'token.not_accepted')
  })

  test('must be valid', async () => {
    assert.equal(await who({ 'x-auth-token': 'user', 'x-service-token': 'junk' }), 'token.not_accepted')
  })

  test('adds the roles of the service, and lets it end what the user began in time', async () => {
    assert.equal(await who({ 'x-auth-token': 'user', 'x-service-token': 'service' }), 'u1 p1 service')
    assert.equal(await who({ 'x-auth-token': 'expired', 'x-service-token': 'service' }), 'u1 p1 service')
    assert.equal(
      await who({ 'x-auth-token': 'restricted', 'x-service-token': 'service' }, { path: '/v2' }),
      'u1 p1 service',
    )
  })

  test('of somebody who is no service gives nothing, or spoils the request', async () => {
    const stranger = { 'x-service-token': 'stranger' }
    assert.equal(await who({ ...stranger, 'x-auth-token': 'user' }), 'u1 p1 ')
    assert.equal(await who({ ...stranger, 'x-auth-token': 'expired' }), 'token.not_accepted')
    assert.equal(await who({ ...stranger, 'x-auth-token': 'restricted' }, { path: '/v2' }), 'token.not_accepted')
    assert.equal(await who({ ...stranger, 'x-auth-token': 'user' }, { required: true }), 'token.not_accepted')
  })
})
