import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readToken } from '../../src/auth/keystone/token-document.ts'
import { covers, type Scope } from '../../src/core/rules/scope.ts'

/** Whether a token that Keystone restricts to this covers that. */
function asks(pattern: string, path: string, method = 'GET', service = 'messaging'): boolean {
  const access_rules = [{ id: 'r1', service: 'messaging', method: 'GET', path: pattern }]
  const user = { id: 'u1' }
  const token = { expires_at: '2026-03-01T11:00:00.000000Z', user, application_credential: { access_rules } }
  return covers(readToken(JSON.stringify({ token }), service)?.identity.scope as Scope, { method, path })
}

describe('an access rule covers', () => {
  const cases: readonly (readonly [pattern: string, path: string, covered: boolean])[] = [
    ['/v2/queues', '/v2/queues', true],
    ['/v2/queues', '/v2/queues/a', false],
    ['/v2/queues/*', '/v2/queues/a', true],
    ['/v2/queues/*', '/v2/queues/', false],
    ['/v2/queues/*', '/v2/queues/a/messages', false],
    ['/v2/queues/{queue}/messages', '/v2/queues/a.b/messages', true],
    ['/v2/queues/{queue}/messages', '/v2/queues/a/b/messages', false],
    ['/v2/**', '/v2/queues/a/messages', true],
    ['/v2/**', '/v2/', true],
    ['/v2/**/messages', '/v2/queues/a/messages', true],
    ['/v2/**/messages', '/v2/queues/a/messages/1', false],
    ['/v2/queues/a.b', '/v2/queues/aXb', false],
    ['/v2/queues/dev-*', '/v2/queues/dev-1', true],
    ['/v2/queues/dev-*', '/v2/queues/prod-1', false],
    ['/v2/queues/*a*', '/v2/queues/banana', true],
    ['/v2/{', '/v2/{', true],
    ['/v2/{a{b}', '/v2/c', true],
    ['/v2/{*', '/v2/{*', true],
    ['/v2/{*', '/v2/{a', false],
    ['', '', true],
    ['', '/', false],
  ]
  for (const [pattern, path, covered] of cases) {
    test(`${pattern}: ${covered ? '' : 'not '}${path}`, () => assert.equal(asks(pattern, path), covered))
  }

  test('one method of one service', () => {
    assert.ok(!asks('/v2/**', '/v2/queues', 'POST'))
    assert.ok(!asks('/v2/**', '/v2/queues', 'GET', 'compute'))
  })

  test('and is done with a hostile pattern in bounded time', () => {
    // Of the processor, so that a busy machine takes nothing away; one that tries all ways is never done.
    const before = process.cpuUsage()
    assert.ok(!asks(`${'*a'.repeat(60)}!`, 'a'.repeat(20_000)))
    assert.ok(!asks(`${'**a'.repeat(40)}!`, 'a'.repeat(20_000)))
    assert.ok(process.cpuUsage(before).user < 5_000_000)
  })
})
