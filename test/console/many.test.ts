/** Very many queues, and a queue of very many messages: a page draws what is seen of them. Prints what it measures. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { requirePeer } from '../support/peers.ts'
import { assertNoComplaints, go, openProject } from './open.ts'

/** More take long to be made; these do to see what is drawn. */
const QUEUES = Number(process.env['ZAQAR_MANY_QUEUES'] ?? 1_000)
const MESSAGES = Number(process.env['ZAQAR_MANY_MESSAGES'] ?? 20_000)
const POST = 500
/** Rows that may be drawn at once, however long the list is. */
const MOST_ROWS = 60

test('a page with very much', async (t) => {
  if (!requirePeer(t, 'chromium')) return
  const opened = await openProject(t, {
    config: '[DEFAULT]\nadmin_mode = true\n[transport]\nmax_queues_per_page = 100\n',
  })
  const { page, zaqar } = opened
  const nameOf = (i: number) => `queue-${String(i).padStart(5, '0')}`
  await inTurn(QUEUES, (i) => zaqar.queue(nameOf(i)).create())
  await inTurn(MESSAGES / POST, (i) =>
    zaqar.queue('large').postAll(Array.from({ length: POST }, (_, n) => ({ body: { n: i * POST + n }, ttl: 3_600 }))),
  )

  await t.test('of queues draws those in view, and goes to the last one', async () => {
    await page.reload()
    await page.getByLabel('Project').fill('demo')
    const begun = performance.now()
    await page.getByRole('button', { name: 'Open' }).click()
    await page.getByRole('link', { name: 'large', exact: true }).waitFor()
    console.log(`${ms(performance.now() - begun)} from signing in to the first rows of ${QUEUES} queues`)
    const last = page.getByRole('link', { name: nameOf(QUEUES - 1), exact: true })
    let drawn = 0
    while ((await last.count()) === 0) {
      await page.locator('.scrolled').evaluate((box) => box.scrollTo(0, box.scrollHeight))
      drawn = Math.max(drawn, await page.getByRole('row').count())
    }
    assert.ok(drawn <= MOST_ROWS, `${drawn} rows are drawn`)
    assert.equal(await page.getByRole('table').getAttribute('aria-rowcount'), String(QUEUES + 2))
    console.log(`frames while all of it is scrolled through: ${await framesWhileScrolling(page)}`)
  })

  await t.test('finds one of them', async () => {
    await page.getByLabel('Find by name').fill(nameOf(QUEUES - 2).slice(-6))
    const begun = performance.now()
    await page.getByRole('link', { name: nameOf(QUEUES - 2), exact: true }).waitFor()
    console.log(`${ms(performance.now() - begun)} from the last key to the queue that is found by its name`)
  })

  await t.test('of messages costs what one page of them does', async () => {
    const begun = performance.now()
    await go(page, '#/queues/large/messages')
    await page.getByText('19', { exact: true }).waitFor()
    console.log(`${ms(performance.now() - begun)} to the first page of ${MESSAGES} messages`)
    const { marker } = await zaqar.queue('large').list({ limit: 20 })
    const turned = performance.now()
    await page.getByRole('button', { name: 'Next page' }).click()
    await page.getByText('39', { exact: true }).waitFor()
    console.log(`${ms(performance.now() - turned)} to the next one`)
    assert.equal(await page.getByRole('list', { name: 'Messages' }).getByRole('listitem').count(), 20)
    assert.ok(marker)
  })

  await t.test('breaks nothing', () => assertNoComplaints(opened))
})

/** A few at a time. */
async function inTurn(count: number, act: (i: number) => Promise<unknown>): Promise<void> {
  let next = 0
  const work = async () => {
    while (next < count) await act(next++)
  }
  await Promise.all(Array.from({ length: 16 }, work))
}

/** How long frames are while the list is scrolled from its end to its beginning. */
function framesWhileScrolling(page: Page): Promise<string> {
  return page.evaluate<string>(`new Promise((resolve) => {
    const box = document.querySelector('.scrolled')
    const frames = []
    let before = performance.now()
    let left = 120
    const step = box.scrollHeight / left
    const draw = (now) => {
      frames.push(now - before)
      before = now
      box.scrollTop -= step
      left -= 1
      if (left > 0) return requestAnimationFrame(draw)
      frames.sort((a, b) => a - b)
      const at = (part) => frames[Math.floor(part * (frames.length - 1))].toFixed(1)
      resolve('median ' + at(0.5) + ' ms, 95 in 100 within ' + at(0.95) + ' ms, longest ' + at(1) + ' ms')
    }
    requestAnimationFrame(draw)
  })`)
}

function ms(milliseconds: number): string {
  return `${milliseconds.toFixed(0)} ms`
}
