/** What people do with messages: look into them, post many, take them along, move dead letters back. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Zaqar } from 'zaqar-client'
import { requirePeer } from '../support/peers.ts'
import { look } from './look.ts'
import { go, openProject, press } from './open.ts'

test('messages', async (t) => {
  if (!requirePeer(t, 'chromium')) return
  const opened = await openProject(t)
  const { page, zaqar } = opened
  const folder = mkdtempSync(join(tmpdir(), 'zaqar-console-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const cards = page.getByRole('list', { name: 'Messages' }).getByRole('listitem')
  let downloads = 0
  page.on('download', () => {
    downloads += 1
  })

  await t.test('are found by what is deep in them, which is unfolded and marked', async () => {
    await zaqar
      .queue('orders')
      .postAll([
        { body: { order: 1, lines: [{ item: 'apple', note: { who: 'Ann' } }, { item: 'pear' }] } },
        { body: { order: 2, lines: [{ item: 'plum' }] } },
        { body: 'a plain text' },
      ])
    await go(page, '#/queues/orders/messages')
    await cards.nth(2).waitFor()
    assert.equal(await page.getByText('"Ann"').count(), 0, 'it is folded')
    await page.getByLabel('Find in this page').fill('ann')
    await page.locator('mark').getByText('Ann').waitFor()
    assert.equal(await cards.count(), 1)
    assert.equal(await page.getByText('"pear"').count(), 0, 'what does not lead there is left out')
    await look(page, 'found')
    await page.getByLabel('Find in this page').fill('PLUM')
    await page.locator('mark').getByText('plum').waitFor()
    await page.getByLabel('Find in this page').fill('')
    await cards.nth(2).waitFor()
    await page.getByText('"lines"').first().click()
    await page.getByText('"item"').first().waitFor({ state: 'hidden' })
  })

  await t.test('are posted from a file, line by line, with a life and a delay', async () => {
    const file = join(folder, 'bodies.jsonl')
    writeFileSync(file, Array.from({ length: 5_000 }, (_, i) => `{"n": ${i}, "pad": "${'x'.repeat(80)}"}\n`).join(''))
    await zaqar.queue('many').create({ _default_message_delay: 1, _max_messages_post_size: 100_000 })
    await go(page, '#/queues/many/post')
    await page.getByLabel('From a file').setInputFiles(file)
    await page.getByLabel('Life in seconds').fill('900')
    await page.getByLabel('Delay in seconds').fill('0')
    await look(page, 'post')
    await press(page, 'Post')
    await page.getByText('5000 messages posted').waitFor()
    const { messages } = await zaqar.queue('many').list({ limit: 2 })
    assert.deepEqual(
      messages.map(({ body, ttl }) => [(body as { n: number }).n, ttl]),
      [
        [0, 900],
        [1, 900],
      ],
    )
    assert.equal((await zaqar.queue('many').stats({ detailed: true })).delayed, 0)
  })

  await t.test('whose line is no JSON are named by it, and none of the file is posted', async () => {
    const file = join(folder, 'broken.jsonl')
    // More than one request takes.
    writeFileSync(file, `${`"${'x'.repeat(99_000)}"\n`.repeat(3)}\n{"no`)
    await go(page, '#/queues/none/post')
    await page.getByLabel('From a file').setInputFiles(file)
    await press(page, 'Post')
    await page.getByRole('alert').getByText('Line 5 is no JSON').waitFor()
    assert.equal((await zaqar.queue('none').stats()).total, 0)
  })

  await t.test('that cannot be posted are refused with what is wrong', async () => {
    await page.getByLabel('What is posted').selectOption('A message in each line')
    const file = join(folder, 'broken.jsonl')
    writeFileSync(file, '1')
    await press(page, 'Post')
    await page.getByRole('alert').getByText('broken.jsonl cannot be read, or has changed').waitFor()
    await press(page, 'Take another')
    await page.getByLabel('Body').fill('{"body": 1, "ttl": "long"}')
    await press(page, 'Post')
    await page.getByRole('alert').getByText('ttl').waitFor()
    await page.getByLabel('What is posted').selectOption('One message')
    await page.getByLabel('Body').fill('')
    await press(page, 'Post')
    await page.getByRole('alert').getByText('There is nothing to post').waitFor()
  })

  await t.test('are turned over page by page, and from a marker', async () => {
    await go(page, '#/queues/many/messages')
    await page.getByText('19', { exact: true }).waitFor()
    await press(page, 'Next page')
    await page.getByText('39', { exact: true }).waitFor()
    const { marker } = await zaqar.queue('many').list({ limit: 10 })
    await page.getByLabel('Go behind a message or marker').fill(marker as string)
    await press(page, 'Go')
    await page.getByText('29', { exact: true }).waitFor()
    await press(page, 'First page')
    await page.getByText('19', { exact: true }).waitFor()
  })

  await t.test('are downloaded as lines, which can be posted again, unless somebody goes away meanwhile', async () => {
    await press(page, 'Download from here')
    await page.getByRole('button', { name: 'That is enough' }).waitFor()
    await go(page, '#/queues/many/settings')
    await page.getByRole('button', { name: 'Save' }).waitFor()
    await go(page, '#/queues/many/messages')
    const downloading = page.waitForEvent('download')
    await press(page, 'Download from here')
    const file = join(folder, 'taken.jsonl')
    await (await downloading).saveAs(file)
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
    assert.equal(lines.length, 5_000)
    assert.equal(JSON.parse(lines[4_999] as string).body.n, 4_999)
    writeFileSync(file, lines.slice(0, 3).join('\n'))
    await go(page, '#/queues/again/post')
    await page.getByLabel('From a file').setInputFiles(file)
    await page.getByLabel('What is posted').selectOption('A message in each line')
    await press(page, 'Post')
    await page.getByText('3 messages posted').waitFor()
    assert.deepEqual(await numbersIn(zaqar, 'again'), [0, 1, 2])
  })

  await t.test('that are chosen are deleted together', async () => {
    await go(page, '#/queues/again/messages')
    await cards.nth(2).waitFor()
    await cards.nth(0).getByRole('checkbox').check()
    await cards.nth(2).getByRole('checkbox').check()
    await press(page, 'Delete 2')
    await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    assert.deepEqual(await numbersIn(zaqar, 'again'), [1])
  })

  await t.test('that are dead letters are moved back: some till that is stopped, then all, at a rate', async () => {
    await bury(zaqar, 12)
    await go(page, '#/queues/dead/messages')
    await cards.nth(11).waitFor()
    await cards.nth(1).getByRole('checkbox').check()
    await cards.nth(4).getByRole('checkbox').check()
    await cards.nth(7).getByRole('checkbox').check()
    await press(page, 'Move back…')
    const dialog = page.getByRole('dialog')
    assert.equal(await dialog.getByLabel('Which').inputValue(), 'chosen')
    await dialog.getByLabel('Messages a second').fill('1')
    await dialog.getByRole('button', { name: 'Move back' }).click()
    await dialog.getByText('2 of 3 moved').waitFor()
    await dialog.getByRole('button', { name: 'Stop' }).click()
    assert.deepEqual(await numbersIn(zaqar, 'jobs'), [1, 4])
    await dialog.getByLabel('Which').selectOption('All dead letters')
    await dialog.getByLabel('Messages a second').fill('4')
    await dialog.getByRole('button', { name: 'Move back' }).click()
    await dialog.getByText('8 of 10 moved').waitFor()
    await look(page, 'redrive')
    await dialog.getByText('10 of 10 moved').waitFor()
    await page.keyboard.press('Escape')
    await page.getByText('There is no message here').waitFor()
    assert.deepEqual(await numbersIn(zaqar, 'jobs'), [1, 4, 0, 2, 3, 5, 6, 7, 8, 9, 10, 11])
  })

  await t.test('break nothing', () => {
    assert.deepEqual(opened.complaints, [])
    assert.equal(opened.failedLoads.length, 1, 'but what was refused')
    assert.equal(downloads, 1)
  })
})

async function numbersIn(zaqar: Zaqar, queue: string): Promise<number[]> {
  return Array.fromAsync(zaqar.queue(queue).messages<{ n: number }>(), ({ body }) => body.n)
}

/** Lets messages of `jobs` become dead letters in `dead`. */
async function bury(zaqar: Zaqar, count: number): Promise<void> {
  const jobs = zaqar.queue('jobs')
  await jobs.create({ _max_claim_count: 1, _dead_letter_queue: 'dead' })
  await jobs.postAll(Array.from({ length: count }, (_, n) => ({ body: { n } })))
  await (await jobs.claim({ limit: count, ttl: 60, grace: 60 }))?.release()
  assert.equal(await jobs.claim({ limit: count }), null)
}
