/** Who is told of messages: subscriptions, what was delivered to them, and what was not. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { requirePeer } from '../support/peers.ts'
import { look } from './look.ts'
import { assertNoComplaints, go, openProject, press } from './open.ts'

const CONFIG = '[DEFAULT]\nadmin_mode = true\n[notification]\nrequire_confirmation = true\n'

test('subscriptions', async (t) => {
  if (!requirePeer(t, 'chromium')) return
  const opened = await openProject(t, { config: CONFIG })
  const { page, zaqar } = opened
  const receiver = await startReceiver(t)
  const orders = zaqar.queue('orders')
  const once = { retries_with_no_delay: 1, minimum_delay_retries: 0, maximum_delay_retries: 0 }
  await orders.create({ _retry_policy: { ...once, minimum_delay: 1, maximum_delay: 11 } })
  // Its pause begins after ten seconds of failing, so it begins to fail now.
  const away = zaqar.queue('away')
  await away.create({
    _retry_policy: { ...once, retries_with_no_delay: 30, minimum_delay_retries: 60, minimum_delay: 1 },
  })
  const unreachable = await away.addSubscription({ subscriber: 'http://127.0.0.1:1/', ttl: 600 })
  await away.confirmSubscription(unreachable)
  await away.post('nobody takes it')
  const card = page.getByRole('list', { name: 'Subscriptions' }).getByRole('listitem')

  await t.test('are made, confirmed, and unconfirmed again', async () => {
    await go(page, '#/queues/orders/subscriptions')
    await page.getByText('There are no subscriptions').waitFor()
    await press(page, 'New subscription')
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Subscriber').fill(receiver.url)
    await dialog.getByLabel('Life in seconds').fill('6000')
    await dialog.getByLabel('Options').fill('no object')
    await dialog.getByRole('button', { name: 'New subscription' }).click()
    await dialog.getByRole('alert').getByText('Options are a JSON object').waitFor()
    await dialog.getByLabel('Options').fill('{"_format": "cloudevents"}')
    await dialog.getByRole('button', { name: 'New subscription' }).click()
    await card.getByText('waits for confirmation').waitFor()
    await page.locator('button:focus').getByText('New subscription').waitFor()
    await press(page, 'Confirm')
    await card.getByText('confirmed', { exact: true }).waitFor()
    await press(page, 'Take confirmation back')
    await card.getByText('waits for confirmation').waitFor()
    await press(page, 'Confirm')
    await card.getByText('confirmed', { exact: true }).waitFor()
  })

  await t.test('show what was delivered', async () => {
    await orders.post({ order: 1 })
    await receiver.got(1)
    await press(page, 'Latest deliveries')
    await page.getByRole('table', { name: 'Latest deliveries' }).getByText('delivered').first().waitFor()
    await look(page, 'deliveries')
    await press(page, 'Latest deliveries')
  })

  await t.test('show what failed and how their receiver does, and deliver it again', async () => {
    receiver.status = 500
    await orders.postAll([{ body: { order: 2 } }, { body: { order: 3 } }])
    await card.getByText(/^failing, \d+ times in a row$/).waitFor()
    await press(page, 'Failures')
    const failures = page.getByRole('region', { name: 'Failures' })
    await failures.getByRole('listitem').nth(1).waitFor()
    await look(page, 'failures')
    receiver.status = 200
    const before = receiver.bodies.length
    await failures.getByRole('button', { name: 'Deliver again' }).first().click()
    await failures.getByText('1 on their way again').waitFor()
    await receiver.got(before + 1)
    await press(page, 'Deliver all again')
    await receiver.got(before + 2)
    await page.getByText('Nothing has failed for good').waitFor()
    assert.deepEqual(
      receiver.bodies.slice(before).map((body) => JSON.parse(body).data.order),
      [2, 3],
    )
  })

  await t.test('get a secret, shown once, and another one', async () => {
    await press(page, 'New secret')
    const secret = page.locator('code').filter({ hasText: 'whsec_' })
    await secret.waitFor()
    const first = await secret.innerText()
    await press(page, 'New secret')
    await page.getByText('The secret before it signs as well').waitFor()
    assert.notEqual(await secret.innerText(), first)
    await look(page, 'secret')
    await press(page, 'Delete secret')
    await page.getByText('It has no secret any more').waitFor()
    await secret.waitFor({ state: 'detached' })
  })

  await t.test('are changed, and deleted', async () => {
    await press(page, 'Change')
    await page.getByLabel('Life in seconds').fill('120')
    await page.getByLabel('Options').fill('{"_format": "cloudevents", "_ordered": true}')
    await press(page, 'Save')
    await card.getByText('"_ordered"').waitFor()
    const [subscription] = await Array.fromAsync(orders.subscriptions())
    assert.deepEqual([subscription?.ttl, subscription?.options], [120, { _format: 'cloudevents', _ordered: true }])
    await card.getByRole('button', { name: 'Delete', exact: true }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click()
    await page.getByText('There are no subscriptions').waitFor()
    assert.deepEqual(await Array.fromAsync(orders.subscriptions()), [])
  })

  await t.test('show that nothing is sent for a while to a receiver that has failed for long', async () => {
    await go(page, '#/queues/away/subscriptions')
    await card.getByText(/^paused until \d/).waitFor()
  })

  await t.test('break nothing', () => assertNoComplaints(opened))
})

/** Keeps what it is sent that tells of messages, and answers with `status`. */
async function startReceiver(t: TestContext) {
  const bodies: string[] = []
  const waiting = new Set<() => void>()
  const receiver = {
    url: '',
    status: 200,
    bodies,
    async got(count: number): Promise<void> {
      while (bodies.length < count) await new Promise<void>((resolve) => waiting.add(resolve))
    },
  }
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    response.statusCode = receiver.status
    response.end('what the receiver says')
    if (receiver.status !== 200 || !body.includes('"order"')) return
    bodies.push(body)
    for (const resolve of waiting) resolve()
    waiting.clear()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
  return receiver
}
