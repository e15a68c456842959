/** What people do in the console first, on a service that asks nobody who they are. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Zaqar } from 'zaqar-client'
import { requirePeer } from '../support/peers.ts'
import { look } from './look.ts'
import { assertNoComplaints, go, openProject, press } from './open.ts'

test('a person', async (t) => {
  if (!requirePeer(t, 'chromium')) return
  // Pages are no longer than the service gives them.
  const config = '[DEFAULT]\nadmin_mode = true\n[transport]\nmax_messages_per_page = 10\n'
  const opened = await openProject(t, { config })
  const { page, zaqar } = opened

  await t.test('makes a queue, posts to it and reads', async () => {
    await page.getByRole('button', { name: 'New queue' }).click()
    await page.getByRole('dialog').getByLabel('Name').fill('orders')
    await page.getByRole('dialog').getByRole('button', { name: 'New queue' }).click()
    await page.getByRole('heading', { name: 'orders' }).waitFor()
    await page.getByRole('link', { name: 'Post' }).click()
    await page.getByLabel('Body').fill('{"order": 9007199254740993, "lines": [{"item": "a"}]}')
    await press(page, 'Post')
    await page.getByText('1 message posted').waitFor()
    await page.getByRole('link', { name: 'Messages' }).click()
    await page.getByText('9007199254740993').waitFor()
    await look(page, 'messages')
  })

  await t.test('is told of messages as they are posted', async () => {
    await page.getByRole('checkbox', { name: 'Live' }).check()
    await page.getByText('Waiting for messages').waitFor()
    await zaqar.queue('orders').post('as it comes')
    await page.getByText('"as it comes"').waitFor()
    await look(page, 'live')
    await page.getByRole('checkbox', { name: 'Live' }).uncheck()
  })

  await t.test('claims, deletes and releases by hand', async () => {
    await zaqar.queue('jobs').postAll([{ body: 'first job' }, { body: 'second job' }])
    await go(page, '#/queues/jobs/claims')
    await page.getByLabel('How many').fill('2')
    await press(page, 'Claim')
    await page.getByText('"second job"').waitFor()
    await look(page, 'claim')
    await page.getByRole('button', { name: 'Delete message' }).first().click()
    await page.getByText('"first job"').waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Release' }).first().click()
    await page.getByText('"second job"').waitFor({ state: 'detached' })
    assert.deepEqual(await bodiesOf(zaqar, 'jobs'), ['second job'])
  })

  await t.test('sees who holds messages, and takes them from a worker that is lost', async () => {
    await zaqar.queue('jobs').claim({ ttl: 600 })
    const claims = page.getByRole('region', { name: 'Live claims' })
    await claims.getByRole('button', { name: 'Reload' }).click()
    await claims.getByText(zaqar.clientId).waitFor()
    await claims.getByText('1 message', { exact: true }).waitFor()
    await claims.getByRole('button', { name: 'Show messages' }).click()
    await claims.getByText('"second job"').waitFor()
    await look(page, 'claims')
    await claims.getByRole('button', { name: 'Release' }).click()
    await claims.getByText('Nobody holds messages').waitFor()
    assert.equal((await zaqar.queue('jobs').stats()).claimed, 0)
    await zaqar.queue('jobs').postAll(Array.from({ length: 20 }, (_, body) => ({ body })))
    let last = ''
    for (let i = 0; i < 11; i++) last = (await zaqar.queue('jobs').claim({ limit: 1 }))?.id ?? ''
    await claims.getByRole('button', { name: 'Reload' }).click()
    await claims.getByRole('button', { name: 'Next page' }).click()
    await claims.getByText(last).waitFor()
    assert.equal(await claims.getByText('held by').count(), 1)
  })

  await t.test('deletes a queue, with its name typed again', async () => {
    await go(page, '#/queues/jobs/settings')
    await press(page, 'Delete this queue')
    const dialog = page.getByRole('dialog')
    assert.equal(await dialog.getByRole('button', { name: 'Delete', exact: true }).isDisabled(), true)
    await dialog.getByLabel('Type jobs').fill('jobs')
    await dialog.getByRole('button', { name: 'Delete', exact: true }).click()
    await page.getByRole('heading', { name: 'Queues' }).waitFor()
    const names = await Array.fromAsync(zaqar.queues(), ({ name }) => name)
    assert.deepEqual(names, ['orders'])
    await look(page, 'queues')
  })

  await t.test('sees health, and pools', async () => {
    await page.getByRole('link', { name: 'Service' }).click()
    await page.getByText('The storage answers').waitFor()
    await page.getByRole('link', { name: 'Pools and flavors' }).click()
    await page.getByText('No pools').waitFor()
  })

  await t.test('meets no error of the page', () => assertNoComplaints(opened))
})

async function bodiesOf(zaqar: Zaqar, queue: string): Promise<unknown[]> {
  return Array.fromAsync(zaqar.queue(queue).messages(), ({ body }) => body)
}
