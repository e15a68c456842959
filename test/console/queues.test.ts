/** The lists of queues and topics, and their settings. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { test } from 'node:test'
import type { Route } from 'playwright-core'
import { requirePeer } from '../support/peers.ts'
import { look } from './look.ts'
import { assertNoComplaints, go, openProject, press } from './open.ts'

/** Resolves when what has changed is on the page, and has had its effects. */
const DRAWN = 'new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))'

/** When the page looks again at what it shows, in milliseconds. */
const LOOK_AGAIN = 5_000

/** Ways through the list that are left while it is drawn for the first time, and where they have led. */
const HURRY = `(async () => {
  const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds))
  const ends = []
  for (let i = 0; i < 8; i++) {
    location.hash = '#/topics'
    await pause(5)
    location.hash = '#/queues'
    await pause(i)
    location.hash = '#/queues/orders/settings'
    await pause(30)
    ends.push(location.hash)
  }
  return ends
})()`
const HURRIED_TO = Array.from({ length: 8 }, () => '#/queues/orders/settings')

test('in the list of queues', async (t) => {
  if (!requirePeer(t, 'chromium')) return
  const opened = await openProject(t)
  const { page, zaqar } = opened
  const row = (name: string) => page.getByRole('row').filter({ has: page.getByRole('link', { name, exact: true }) })

  await t.test('each has its counts, its age and its rates', async () => {
    await zaqar.queue('orders').create({ _default_message_delay: 600 })
    await zaqar.queue('orders').postAll([{ body: 1, delay: 0 }, { body: 2, delay: 0 }, { body: 3 }])
    const claim = await zaqar.queue('orders').claim({ limit: 1, ttl: 300, grace: 60 })
    await page.clock.install()
    await press(page, 'Reload')
    const cells = row('orders').getByRole('cell')
    await cells.nth(4).getByText('1', { exact: true }).waitFor()
    assert.deepEqual(await Promise.all([2, 3, 4].map((i) => cells.nth(i).innerText())), ['3', '1', '1'])
    const posted = row('orders').getByRole('img', { name: 'Posted: 3 in the last ten minutes' })
    while ((await posted.count()) === 0) await page.clock.fastForward(LOOK_AGAIN)
    await claim?.release()
    await look(page, 'queues')
  })

  await t.test('a name, or metadata, find some of them', async () => {
    await zaqar.queue('invoices').create({ team: 'billing', tier: 2 })
    await zaqar.queue('invoices-failed').create({ team: 'billing', tier: 3 })
    await press(page, 'Reload')
    await row('invoices').waitFor()
    await page.getByLabel('Find by name').fill('voices')
    await row('orders').waitFor({ state: 'detached' })
    await row('invoices').waitFor()
    await row('invoices-failed').waitFor()
    await page.getByLabel('Metadata').fill('team=billing, tier=3')
    await row('invoices').waitFor({ state: 'detached' })
    await row('invoices-failed').waitFor()
    await page.getByLabel('Find by name').fill('nothing of the kind')
    await page.getByText('There are no queues that fit').waitFor()
  })

  await t.test('a queue is one click away, with its settings', async () => {
    await page.getByLabel('Find by name').fill('')
    await page.getByLabel('Metadata').fill('')
    await page.getByRole('link', { name: 'invoices', exact: true }).click()
    await page.getByRole('heading', { name: 'invoices', exact: true }).waitFor()
    await page.getByRole('link', { name: 'Settings' }).click()
    await page.getByText('in seconds, 60 to 1,209,600').first().waitFor()
    await page.getByLabel('Life of a message').fill('120')
    await page.getByLabel('Dead letter queue').fill('invoices-failed')
    await page.getByLabel('Most claims').fill('3')
    await page.getByLabel('Other metadata').fill('{"team": "payments", "exact": 9007199254740993}')
    await look(page, 'settings')
    await press(page, 'Save')
    await page.getByText('Saved').waitFor()
    await page.getByLabel('Most claims').fill('4')
    await page.getByText('Saved', { exact: true }).waitFor({ state: 'detached' })
    const metadata = await zaqar.queue('invoices').metadata()
    assert.deepEqual(
      ['_default_message_ttl', '_dead_letter_queue', '_max_claim_count', 'team', 'tier'].map((key) => metadata[key]),
      [120, 'invoices-failed', 3, 'payments', undefined],
    )
    assert.match(await page.getByLabel('Other metadata').inputValue(), /9007199254740993/)
    // What is typed before the answer comes stands, and is saved with the next.
    const typeFirst = async (route: Route) => {
      await page.getByLabel('Most claims').fill('5')
      await route.continue()
    }
    await page.route('**/queues/invoices', typeFirst, { times: 1 })
    await page.getByLabel('Life of a message').fill('180')
    const answered = page.waitForResponse((answer) => answer.request().method() === 'PATCH')
    await press(page, 'Save')
    await answered
    await page.getByRole('button', { name: 'Save', disabled: false }).waitFor()
    await page.evaluate(DRAWN)
    assert.equal(await page.getByLabel('Most claims').inputValue(), '5')
    await press(page, 'Save')
    await page.getByText('Saved').waitFor()
    const later = await zaqar.queue('invoices').metadata()
    assert.deepEqual([later['_default_message_ttl'], later['_max_claim_count']], [180, 5])
    await page.getByLabel('Dead letter queue').fill('not a name')
    await press(page, 'Save')
    await page.getByRole('alert').getByText('_dead_letter_queue must be the name of a queue').waitFor()
  })

  await t.test('what was looked for is there again for who goes back, and pages have titles', async () => {
    await go(page, '#/queues')
    await page.getByLabel('Find by name').fill('voices-f')
    await page.waitForURL(/name=voices-f/)
    await row('invoices-failed').getByRole('link').click()
    await page.getByRole('heading', { name: 'invoices-failed' }).waitFor()
    assert.equal(await page.title(), 'invoices-failed – Zaqar')
    await page.goBack()
    await row('invoices-failed').waitFor()
    assert.equal(await page.getByLabel('Find by name').inputValue(), 'voices-f')
    assert.equal(await page.title(), 'Queues – Zaqar')
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Queues' }).click()
    await row('orders').waitFor()
    assert.equal(await page.getByLabel('Find by name').inputValue(), '')
    assert.deepEqual(await page.evaluate(HURRY), HURRIED_TO, 'whoever goes on at once gets there')
  })

  await t.test('all messages are deleted, with the name typed again', async () => {
    await go(page, '#/queues/orders/settings')
    await press(page, 'Delete all messages')
    await page.getByLabel('Type orders').fill('orders')
    await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    assert.equal((await zaqar.queue('orders').stats()).total, 0)
  })

  await t.test('what is made and deleted elsewhere is shown, and what is scrolled stays where it is', async () => {
    const nameOf = (n: number) => `row-${n}`
    await Promise.all(Array.from({ length: 60 }, (_, n) => zaqar.queue(nameOf(100 + n)).create()))
    await go(page, '#/queues')
    const box = page.locator('.scrolled')
    while ((await row(nameOf(159)).count()) === 0) await box.evaluate((rows) => rows.scrollTo(0, rows.scrollHeight))
    await zaqar.queue('row-999').create()
    await page.clock.fastForward(LOOK_AGAIN)
    await row('row-999').waitFor()

    // Half of them are above: what changes among the last of those, which are drawn, would move the others.
    await box.evaluate((rows) => rows.scrollTo(0, rows.scrollHeight / 2))
    await row(nameOf(125)).waitFor()
    const place = await row(nameOf(135)).boundingBox()
    await Promise.all(['-a', '-b'].map((end) => zaqar.queue(`${nameOf(125)}${end}`).create()))
    const pages = new Set<string | null>()
    page.on('request', (request) => {
      const { pathname, searchParams } = new URL(request.url())
      if (pathname === '/v2/queues') pages.add(searchParams.get('marker'))
    })
    await page.clock.fastForward(LOOK_AGAIN)
    await row(`${nameOf(125)}-a`).waitFor()
    assert.equal(pages.size, 2, 'two pages are in view')
    assert.ok(!pages.has(null), 'the first one is not')
    assert.deepEqual(await row(nameOf(135)).boundingBox(), place)
    await Promise.all(['-a', ''].map((end) => zaqar.queue(`${nameOf(125)}${end}`).delete()))
    await page.clock.fastForward(LOOK_AGAIN)
    await row(nameOf(125)).waitFor({ state: 'detached' })
    assert.deepEqual(await row(nameOf(135)).boundingBox(), place)
    assert.equal(await row(`${nameOf(125)}-b`).count(), 1)

    // Of a list that was all in view, and of one that has nothing.
    await page.getByLabel('Find by name').fill('row-15')
    await row(nameOf(100)).waitFor({ state: 'detached' })
    await Promise.all(Array.from({ length: 10 }, (_, n) => zaqar.queue(nameOf(150 + n)).delete()))
    await page.clock.fastForward(LOOK_AGAIN)
    await page.getByText('There are no queues that fit').waitFor()
    await zaqar.queue(nameOf(150)).create()
    await page.clock.fastForward(LOOK_AGAIN)
    await row(nameOf(150)).waitFor()
  })

  await t.test('nothing breaks, but what was asked for', () => {
    assert.deepEqual(opened.complaints, [])
    // Figures of queues that had just been deleted elsewhere may have been asked for.
    assert.equal(opened.failedLoads.filter((said) => !said.includes('404')).length, 1, opened.failedLoads.join('\n'))
  })
})

test('topics', async (t) => {
  if (!requirePeer(t, 'chromium')) return
  // Pages are no longer than the service gives them.
  const opened = await openProject(t, {
    config: '[DEFAULT]\nadmin_mode = true\n[transport]\nmax_queues_per_page = 5\nmax_messages_per_page = 5\n',
  })
  const { page, zaqar } = opened

  await t.test('are made, posted to, and tell their subscribers', async () => {
    const told = Promise.withResolvers<string>()
    const receiver = createServer((request, response) => {
      let body = ''
      request.setEncoding('utf8').on('data', (text) => {
        body += text
      })
      request.on('end', () => {
        response.end()
        told.resolve(body)
      })
    }).listen(0, '127.0.0.1')
    t.after(() => receiver.close())
    await page.getByRole('link', { name: 'Topics' }).click()
    await press(page, 'New topic')
    await page.getByRole('dialog').getByLabel('Name').fill('news')
    await page.getByRole('dialog').getByRole('button', { name: 'New topic' }).click()
    await page.getByRole('heading', { name: 'news' }).waitFor()
    assert.equal(await page.getByRole('link', { name: 'Claims' }).count(), 0, 'nobody claims from a topic')
    await zaqar.topic('news').addSubscription({ subscriber: `http://127.0.0.1:${portOf(receiver)}/`, ttl: 600 })
    await page.getByRole('link', { name: 'Post' }).click()
    await page.getByLabel('Body').fill('{"version": 2}')
    await press(page, 'Post')
    await page.getByText('1 message posted').waitFor()
    assert.match(await told.promise, /"version": ?2/)
    await page.getByRole('img', { name: 'Delivered: 1 in the last ten minutes' }).waitFor()
    await page.getByRole('link', { name: 'Messages' }).click()
    await page.getByText('"version"').waitFor()
    await look(page, 'topic')
  })

  await t.test('are listed, and deleted', async () => {
    await page.getByRole('link', { name: 'Topics' }).click()
    await page.getByRole('link', { name: 'news' }).click()
    await page.getByRole('link', { name: 'Settings' }).click()
    await press(page, 'Delete this topic')
    await page.getByLabel('Type news').fill('news')
    await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click()
    await page.getByText('There are no topics yet').waitFor()
  })

  await t.test('break nothing', () => assertNoComplaints(opened))
})

function portOf(server: ReturnType<typeof createServer>): number {
  return (server.address() as { port: number }).port
}
