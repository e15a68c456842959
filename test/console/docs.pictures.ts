/** Makes the pictures of docs/console.md anew: `npm run pictures`. */
import assert from 'node:assert/strict'
import { mkdirSync, statSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Zaqar } from 'zaqar-client'
import { assertNoComplaints, go, openProject } from './open.ts'

const FOLDER = fileURLToPath(new URL('../../docs/pictures/', import.meta.url))
const MOST_BYTES = 100_000

test('pictures of the console', async (t) => {
  const config = '[DEFAULT]\nadmin_mode = true\n[signed_url]\nsecret_key = s3cret\n'
  const opened = await openProject(t, { config })
  const { page, zaqar } = opened
  // Away from the list, which was read before.
  await go(page, '#/topics')
  await fill(zaqar)
  await work(zaqar)
  mkdirSync(FOLDER, { recursive: true })
  await page.setViewportSize({ width: 1100, height: 640 })

  const take = async (name: string, hash: string, text: string) => {
    await go(page, hash)
    await page.getByText(text).first().waitFor()
    // Each row has its figures.
    await page.getByRole('cell', { name: '·' }).first().waitFor({ state: 'detached' })
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      const path = `${FOLDER}console-${name}-${colorScheme}.png`
      await page.screenshot({ path, animations: 'disabled' })
      assert.ok(statSync(path).size < MOST_BYTES, `${path} has ${statSync(path).size} bytes`)
    }
  }
  await take('queues', '#/queues', 'shipments')
  await take('messages', '#/queues/orders/messages', 'Berlin')
  await take('claims', '#/queues/orders/claims', 'Release')
  await take('subscriptions', '#/queues/orders/subscriptions', 'https://shop.example/hooks')
  await take('post', '#/queues/orders/post', 'Life in seconds')
  assertNoComplaints(opened)
})

/** So long that the charts show something, in seconds. */
const WORK_SECONDS = 150

/** Messages come and go, now more and now less of them. */
async function work(zaqar: Zaqar): Promise<void> {
  const names = ['invoices', 'newsletters', 'shipments']
  for (let second = 0; second < WORK_SECONDS; second++) {
    const nextSecond = sleep(1_000)
    await Promise.all(
      names.map(async (name, n) => {
        const queue = zaqar.queue(name)
        const count = Math.round(6 + 5 * Math.sin(second / (5 + 7 * n)))
        await queue.postAll(Array.from({ length: count }, () => ({ body: { second } })))
        await queue.pop(n === 1 ? 6 : count)
      }),
    )
    await nextSecond
  }
}

/** A shop, as an example. */
async function fill(zaqar: Zaqar): Promise<void> {
  const orders = zaqar.queue('orders')
  const towns = ['Berlin', 'Lisboa', 'Oslo', 'Kyoto', 'Quito', 'Dakar']
  const order = (town: string, i: number) => ({
    body: { order: 1000 + i, town, lines: [{ item: 'book', count: i + 1 }] },
  })
  await orders.create({ _default_message_ttl: 86_400, team: 'shop' })
  await orders.postAll(towns.map(order))
  await orders.claim({ limit: 2 })
  await orders.addSubscription({ subscriber: 'https://shop.example/hooks/orders', ttl: 86_400 })
  await orders.addSubscription({ subscriber: 'mailto:orders@shop.example', ttl: 86_400 })
  for (const [i, name] of ['invoices', 'newsletters', 'returns', 'shipments'].entries()) {
    await zaqar.queue(name).postAll(Array.from({ length: 3 * i + 1 }, (_, i) => ({ body: { number: i } })))
  }
}
