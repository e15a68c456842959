/** Who may do less sees less: the page asks the service what its policy lets somebody do. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { Zaqar } from 'zaqar-client'
import { requirePeer } from '../support/peers.ts'
import { look } from './look.ts'
import { assertNoComplaints, go, openConsole, press, startBoth } from './open.ts'

const CONFIG = '[DEFAULT]\nadmin_mode = true\n[policy]\ndefault_rules = personas\n'
/** Tabs of a queue that is there for everybody. */
const OF_MEMBERS = ['Messages', 'Post', 'Claims', 'Subscriptions', 'Signed URLs', 'Settings']

test('a person without all rights', async (t) => {
  if (!requirePeer(t, 'chromium')) return
  const { service, browser } = await startBoth(t, { config: CONFIG })
  const asMember: typeof fetch = (url, init) => {
    const headers = new Headers(init?.headers)
    headers.set('X-Roles', 'member')
    return fetch(url, { ...init, headers })
  }
  const zaqar = new Zaqar({ url: service.url, project: 'demo', fetch: asMember })
  await zaqar.queue('orders').postAll([{ body: 'one' }, { body: 'two' }])
  await zaqar.queue('orders').addSubscription({ subscriber: 'http://127.0.0.1:9/', ttl: 600 })

  const signIn = async (roles: string) => {
    const opened = await openConsole(browser, service.url)
    await opened.page.getByLabel('Project').fill('demo')
    await opened.page.getByLabel('Roles').fill(roles)
    await press(opened.page, 'Open')
    await opened.page.getByRole('button', { name: 'Sign out' }).waitFor()
    return opened
  }

  await t.test('as a reader looks at everything, and is offered no change', async () => {
    const opened = await signIn('reader')
    const { page } = opened
    await page.getByRole('link', { name: 'orders' }).waitFor()
    assert.deepEqual(await linksIn(page, 'Main'), ['Queues', 'Topics', 'Pools and flavors'])
    assert.equal(await page.getByRole('button', { name: 'New queue' }).count(), 0)
    await page.getByRole('link', { name: 'orders' }).click()
    await page.getByText('"two"').waitFor()
    assert.deepEqual(await linksIn(page, 'orders'), ['Messages', 'Claims', 'Subscriptions', 'Settings'])
    assert.deepEqual(await buttons(page), [
      'Sign out',
      'Go',
      'Reload',
      'Download from here',
      'First page',
      'Page before',
      'Next page',
    ])
    await look(page, 'reader')
    await go(page, '#/queues/orders/subscriptions')
    await page.getByText('http://127.0.0.1:9/').waitFor()
    for (const name of ['New subscription', 'Delete', 'Confirm', 'New secret']) {
      assert.equal(await page.getByRole('button', { name }).count(), 0, name)
    }
    await go(page, '#/queues/orders/claims')
    await page.getByText('Nobody holds messages').waitFor()
    assert.equal(await page.getByRole('button', { name: 'Claim', exact: true }).count(), 0)
    await go(page, '#/queues/orders/settings')
    assert.equal(await page.getByLabel('Life of a message').isDisabled(), true)
    assert.deepEqual(await buttons(page), ['Sign out'])
    await go(page, '#/pools')
    await page.getByText('There are no flavors').waitFor()
    assert.deepEqual(await buttons(page), ['Sign out'])
    assertNoComplaints(opened)
  })

  await t.test('is told of messages as they come all the same', async () => {
    const { page } = await signIn('reader')
    await go(page, '#/queues/orders/messages')
    await page.getByRole('checkbox', { name: 'Live' }).check()
    await page.getByText('Waiting for messages').waitFor()
    const seen = page.getByText('"as it comes"').first()
    do await zaqar.queue('orders').post('as it comes')
    while ((await seen.count()) === 0)
  })

  await t.test('as a member works in the project, and sees nothing of the operators', async () => {
    const opened = await signIn('member')
    const { page } = opened
    await page.getByRole('link', { name: 'orders' }).click()
    await page.getByText('"two"').waitFor()
    assert.deepEqual(await linksIn(page, 'orders'), OF_MEMBERS)
    await go(page, '#/pools')
    await page.getByText('There are no flavors').waitFor()
    assert.equal(await page.getByRole('heading', { name: 'Pools' }).count(), 0)
    await go(page, '#/service')
    await page.getByText('There is no such page').waitFor()
    assertNoComplaints(opened)
  })

  await t.test('without any role gets no further than what everybody may', async () => {
    const { page } = await signIn('')
    await page.getByLabel('Name').fill('orders')
    await press(page, 'Open')
    await page.getByText('You may do nothing with it').waitFor()
  })

  await t.test('with a signed URL sees what it covers', async () => {
    const signed = await zaqar.queue('orders').share({ methods: ['GET', 'POST'], paths: ['messages'] })
    const { page } = await openConsole(browser, service.url)
    await page.getByLabel('Sign in with').selectOption('Signed URL')
    await page.getByLabel('Signed values').fill(JSON.stringify(signed))
    await press(page, 'Open')
    await page.getByText('"two"').waitFor()
    assert.deepEqual(await linksIn(page, 'orders'), ['Messages', 'Post'])
    assert.equal(await page.getByRole('button', { name: 'Delete' }).count(), 0)
    await page.getByRole('button', { name: 'Sign out' }).click()
    const worker = await zaqar.queue('orders').share({ methods: ['POST', 'DELETE'], paths: ['claims', 'messages'] })
    await page.getByLabel('Sign in with').selectOption('Signed URL')
    await page.getByLabel('Signed values').fill(JSON.stringify(worker))
    await press(page, 'Open')
    await page.getByRole('link', { name: 'Claims' }).click()
    await page.getByLabel('How many').waitFor()
    assert.equal(await page.getByRole('region', { name: 'Live claims' }).count(), 0, 'who may not list claims')
  })
})

async function linksIn(page: Page, navigation: string): Promise<string[]> {
  return page.getByRole('navigation', { name: navigation, exact: true }).getByRole('link').allInnerTexts()
}

async function buttons(page: Page): Promise<string[]> {
  return page.getByRole('button').allInnerTexts()
}
