import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openInProcess } from '../support/in-process.ts'

/** Nothing listens there. */
const AWAY = {
  OS_DEFAULT__AUTH_STRATEGY: 'keystone',
  OS_KEYSTONE_AUTHTOKEN__AUTH_TYPE: 'password',
  OS_KEYSTONE_AUTHTOKEN__AUTH_URL: 'http://127.0.0.1:1',
  OS_KEYSTONE_AUTHTOKEN__USERNAME: 'zaqar',
  OS_KEYSTONE_AUTHTOKEN__PASSWORD: 'hunter2',
  OS_KEYSTONE_AUTHTOKEN__PROJECT_NAME: 'service',
  OS_KEYSTONE_AUTHTOKEN__HTTP_REQUEST_MAX_RETRIES: '0',
}

test('while Keystone is away every request is told so, and the operator once in ten seconds', async (t) => {
  const service = await openInProcess(AWAY)
  t.after(() => service.close())
  const ask = (token: string) => service.client.with({ 'X-Auth-Token': token }).get('/v2/queues')
  for (let tried = 0; tried < 20; tried++) {
    const { status, headers } = await ask(`t${tried}`)
    assert.deepEqual([status, headers['retry-after']], [503, '5'])
  }
  assert.equal(service.troubles.length, 1)
  assert.match(String(service.troubles[0]), /127\.0\.0\.1:1 does not answer$/)
  service.clock.advance(10_000)
  await ask('another')
  assert.equal(service.troubles.length, 2)
  assert.match(String(service.troubles[1]), /does not answer \(and so it was for 19 requests since/)
})
