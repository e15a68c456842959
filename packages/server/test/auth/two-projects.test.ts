import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fetchDocument, operationsOf } from '../openapi/document.ts'
import { type InProcessService, openInProcess } from '../support/in-process.ts'
import type { TestClient } from '../support/test-client.ts'
import { attemptsOn, fill, picture, tryAll } from './every-route.ts'

/** Rita and Bob, each an administrator of a project of their own. */
async function openForTwo(): Promise<InProcessService & { readonly rita: TestClient; readonly bob: TestClient }> {
  const service = await openInProcess()
  const admin = service.client.with({ 'X-Roles': 'admin' })
  await admin.put('/v2/pools/east', { uri: 'sqlite::memory:', weight: 1 })
  return { ...service, rita: admin.with({ 'X-Project-Id': 'red' }), bob: admin.with({ 'X-Project-Id': 'blue' }) }
}

test('by no route and with no id does one project see or change what is of another', async () => {
  const [full, empty] = [await openForTwo(), await openForTwo()]
  await full.rita.put('/v2/flavors/gold', { pool_list: ['east'] })
  const victim = { mark: 'of-red', names: await fill(full.rita, 'of-red') }
  const before = await picture(full.rita, victim.names)
  assert.ok(before.every(({ status, text }) => status === 200 && /of-red|gold|"total": [12]/.test(text)))

  const attempts = attemptsOn(operationsOf(await fetchDocument(full.send)), victim.names)
  const answers = await tryAll(full.bob, attempts, victim)
  assert.deepEqual(await picture(full.rita, victim.names), before)
  // Not even whether there is something can be told: without Rita, Bob is answered the same.
  assert.deepEqual(answers, await tryAll(empty.bob, attempts, victim))
  assert.deepEqual([full.troubles, empty.troubles], [[], []])
  await full.close()
  await empty.close()
})
