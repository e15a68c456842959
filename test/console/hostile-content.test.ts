/** What others have written, in names, bodies, metadata and wherever else the console shows it, is text and nothing more. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requirePeer } from '../support/peers.ts'
import { look } from './look.ts'
import { assertNoComplaints, go, openProject } from './open.ts'

test('hostile content', async (t) => {
  if (!requirePeer(t, 'chromium')) return
  const opened = await openProject(t)
  const { page, zaqar } = opened

  await t.test('in bodies is shown as what it is', async () => {
    const bodies = ['<img src=x onerror="document.title=1">', '\u202egnirts', 'x'.repeat(200_000), deep(400)]
    await zaqar.queue('hostile').postAll(bodies.map((body) => ({ body })).slice(0, 2))
    await zaqar.queue('hostile').post(bodies[2])
    await zaqar.queue('hostile').post(bodies[3])
    await go(page, '#/queues/hostile/messages')
    await page.getByText('onerror').waitFor()
    assert.equal(await page.locator('img').count(), 0)
    await page.getByText('\\u202egnirts').waitFor()
    await page.getByText('more characters').waitFor()
    await look(page, 'hostile')
  })

  await t.test('runs nothing, and breaks nothing', () => assertNoComplaints(opened))
})

function deep(levels: number): unknown {
  let value: unknown = 'bottom'
  for (let i = 0; i < levels; i++) value = [value]
  return value
}
