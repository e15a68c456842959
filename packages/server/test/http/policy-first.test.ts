import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertError } from '../support/answers.ts'
import { freshService } from '../support/fresh-service.ts'

const given = freshService()

test('who may not do something is not told what else is wrong with the request', async () => {
  assertError(await given.client.put('/v2/pools/east', '{'), 403, 'Not authorized')
  const admin = given.client.with({ 'X-Roles': 'admin' })
  assert.equal((await admin.put('/v2/pools/east', '{')).status, 400)
})
