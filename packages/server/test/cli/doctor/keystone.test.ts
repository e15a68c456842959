import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KeystoneAnswers, KeystoneToken } from '../../../src/cli/doctor/ask-keystone.ts'
import { checkKeystone } from '../../../src/cli/doctor/keystone.ts'
import { load } from '../../config/memory.ts'
import { found } from './found.ts'

const { config } = load({ env: { OS_KEYSTONE_AUTHTOKEN__AUTH_URL: 'https://cloud.example:5000' } })

const TOKEN: KeystoneToken = {
  tookMs: 12,
  clockAheadMs: 0,
  roles: ['service'],
  project: 'service',
  catalogue: [{ type: 'messaging', name: 'zaqar', endpoints: [{ interface: 'public', url: 'https://zaqar.example' }] }],
  trustee: null,
}

function check(answers: KeystoneAnswers | null): Promise<string[]> {
  const keystone = answers && Promise.resolve(answers)
  return found((findings) => checkKeystone(findings, { config, keystone }))
}

test('an account that may validate tokens, and is in the catalogue, is well', async () => {
  assert.deepEqual(await check(TOKEN), [
    'ok: Keystone at https://cloud.example:5000 gives the service a token, in 12 ms',
    'ok: the service user has the role service in the project service, which lets it validate tokens',
    'ok: the catalogue says that messaging is at https://zaqar.example',
  ])
  assert.deepEqual(await check(null), ['ok: Keystone is not used: [DEFAULT] auth_strategy is not keystone'])
})

test('what keeps callers from being judged is told of', async () => {
  assert.match(
    (await check({ unreachable: 'Keystone does not answer' }))[0] ?? '',
    /^error: Keystone does not answer -> start/,
  )
  const refused = await check({ refused: 'it answers 401: "no"', clockAheadMs: null })
  assert.match(
    refused[0] ?? '',
    /^error: Keystone at \S+ gives the service no token: it answers 401: "no" -> correct user/,
  )
  assert.match(
    (await check({ ...TOKEN, roles: [] }))[1] ?? '',
    /^warning: the service user has no role in the project service/,
  )
  const trustee = { objection: 'it answers 403' }
  assert.match((await check({ ...TOKEN, trustee }))[1] ?? '', /^error: the trustee: it answers 403/)
})

test('what keeps clients from the service is told of', async () => {
  const lines = async (catalogue: KeystoneToken['catalogue']) => (await check({ ...TOKEN, catalogue })).slice(2)
  assert.match(
    (await lines([]))[0] ?? '',
    /^warning: the catalogue has no public endpoint of type messaging: .* -> zaqar keystone register/,
  )
  const [at, unnamed, bare] = await lines([
    { type: 'messaging', name: 'queues', endpoints: [{ interface: 'public', url: 'http://zaqar.example' }] },
  ])
  assert.equal(at, 'ok: the catalogue says that messaging is at http://zaqar.example')
  assert.match(
    unnamed ?? '',
    /^warning: no service in the catalogue is named zaqar: .* -> set \[notification\] public_url$/,
  )
  assert.match(bare ?? '', /^warning: clients are led to http:\/\/zaqar\.example, without encryption/)
})
