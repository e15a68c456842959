import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkClocks } from '../../../src/cli/doctor/clock.ts'
import { found } from './found.ts'

/** How far the clocks of others are ahead, in milliseconds. */
const compare = (store: number | null, keystone: number | null) =>
  found((findings) => checkClocks(findings, { store, keystone }))

test('clocks that agree are well', async () => {
  assert.deepEqual(await compare(null, null), [])
  assert.deepEqual(await compare(300, -900), [
    "ok: PostgreSQL's clock agrees with that of this machine",
    "ok: Keystone's clock is 1.2 s behind that of PostgreSQL",
  ])
})

test('tokens are judged by the clock of the store, or of this machine where that has none', async () => {
  assert.match(
    (await compare(null, 60_000))[0] ?? '',
    /^warning: Keystone's clock is 60\.0 s ahead of that of this machine: tokens end that much too late/,
  )
  const [store, keystone] = await compare(60_000, 60_000)
  assert.match(
    store ?? '',
    /^warning: PostgreSQL's clock is 60\.0 s ahead of that of this machine: messages tell other times/,
  )
  assert.equal(keystone, "ok: Keystone's clock agrees with that of PostgreSQL")
  assert.match(
    (await compare(0, -400_000))[1] ?? '',
    /^error: Keystone's clock is 400\.0 s behind that of PostgreSQL: tokens end that much too early/,
  )
})
