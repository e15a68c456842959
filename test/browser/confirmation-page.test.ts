/** People in a real browser follow the link of a confirmation mail. (contract notifications.md 5, 6) */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { BrowserContext, Page } from 'playwright-core'
import { startMailServer } from '../../packages/server/test/support/mail-server.ts'
import { until } from '../../packages/server/test/support/until.ts'
import { requirePeer } from '../support/peers.ts'
import { type Service, startService } from '../support/service.ts'
import { servePage, startBrowser } from './browser.ts'

const CONFIG = '[signed_url]\nsecret_key = k\n[notification]\npublic_url = http://zaqar.example\n'
const HEADERS = {
  'Client-ID': '3381af92-2b9e-11e3-b191-71861300734c',
  'X-Project-ID': 'p1',
  'Content-Type': 'application/json',
}

interface Given {
  readonly service: Service
  readonly browser: BrowserContext
  /** Where the subscription is. */
  readonly path: string
  isConfirmed(): Promise<boolean>
}

/** A service, reached by a name that is no secure context to browsers, with a subscription of the queue `jobs`. */
async function given(t: TestContext, config = ''): Promise<Given> {
  const service = await startService({ config: `${CONFIG}${config}` })
  t.after(() => service.stop())
  const collection = '/v2/queues/jobs/subscriptions'
  const body = JSON.stringify({ subscriber: 'mailto:a@receiver.example' })
  const answer = await fetch(`${service.url}${collection}`, { method: 'POST', headers: HEADERS, body })
  assert.equal(answer.status, 201)
  const path = `${collection}/${((await answer.json()) as { subscription_id: string }).subscription_id}`
  const isConfirmed = async () => {
    const got = await fetch(`${service.url}${path}`, { headers: HEADERS })
    assert.equal(got.status, 200)
    return ((await got.json()) as { confirmed: boolean }).confirmed
  }
  return { service, browser: await startBrowser(t), path, isConfirmed }
}

function valuesFor(path: string, expires = '2099-01-01T00:00:00'): Record<string, string> {
  const paths = `${path}/confirm`
  const signature = createHmac('sha256', 'k').update(`${paths}\\nPUT\\np1\\n${expires}`).digest('hex')
  return { Signature: signature, Methods: 'PUT', Paths: paths, Project: 'p1', Expires: expires }
}

function linkTo(origin: string, values: Record<string, string>): string {
  return `${origin}/v2/confirm#${new URLSearchParams(values)}`
}

const shown = (page: Page) => page.locator('body').innerText()
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })

/** What the page says came of pressing the button. */
async function press(page: Page, name: string): Promise<string> {
  const answered = page.waitForResponse((answer) => answer.request().method() === 'PUT')
  await button(page, name).click()
  await answered
  const outcome = page.getByRole('status')
  await outcome.filter({ hasNotText: 'Please wait.' }).waitFor()
  return outcome.innerText()
}

/** Every request that the page makes, as method and path, and what it complains of. */
function watch(page: Page): { requests: string[]; complaints: string[] } {
  const requests: string[] = []
  const complaints: string[] = []
  page.on('request', (request) => requests.push(`${request.method()} ${new URL(request.url()).pathname}`))
  page.on('console', (message) => complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('dialog', (dialog) => complaints.push(`dialog: ${dialog.message()}`))
  return { requests, complaints }
}

test('who opens the link of a mail confirms by a button, not by opening it, and unsubscribes by another', async (t) => {
  if (!requirePeer(t, 'chromium')) return
  const { service, browser, path, isConfirmed } = await given(t)
  const page = await browser.newPage()
  const { requests, complaints } = watch(page)
  await page.goto(linkTo(`http://zaqar.example:${service.port}`, valuesFor(path)))
  assert.match(await shown(page), /Queue\s+jobs\s+Project\s+p1\s+The link is good until\s+2099-01-01 00:00:00 UTC/)
  assert.equal(await isConfirmed(), false)
  assert.match(await press(page, 'Confirm'), /you are subscribed/)
  assert.equal(await isConfirmed(), true)
  assert.match(await press(page, 'Unsubscribe'), /you are unsubscribed/)
  assert.equal(await isConfirmed(), false)
  assert.deepEqual(
    requests.filter((one) => !one.endsWith('/favicon.ico')),
    ['GET /v2/confirm', `PUT ${path}/confirm`, `PUT ${path}/confirm`],
  )
  assert.deepEqual(complaints, [])
})

test('who has unsubscribed can come back, also where a proxy serves the API below a path', async (t) => {
  if (!requirePeer(t, 'chromium')) return
  const { service, browser, path, isConfirmed } = await given(t)
  const proxy = createServer((incoming, outgoing) => {
    const { method = '', url = '', headers } = incoming
    if (!url.startsWith('/messaging/')) return outgoing.writeHead(404).end()
    const target = { port: service.port, host: '127.0.0.1', method, path: url.slice('/messaging'.length), headers }
    const passed = request(target, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    return incoming.pipe(passed)
  })
  await once(proxy.listen(0, '127.0.0.1'), 'listening')
  t.after(() => proxy.close())
  const page = await browser.newPage()
  const origin = `http://zaqar.example:${(proxy.address() as AddressInfo).port}/messaging`
  await page.goto(linkTo(origin, { ...valuesFor(path), Type: 'UnsubscribeConfirmation' }))
  assert.match(await shown(page), /You have unsubscribed/)
  assert.match(await press(page, 'Subscribe again'), /you are subscribed/)
  assert.equal(await isConfirmed(), true)
})

test('a link that is not good any more says so, and another one may follow in the same window', async (t) => {
  if (!requirePeer(t, 'chromium')) return
  const { service, browser, path, isConfirmed } = await given(t)
  const page = await browser.newPage()
  await page.goto(linkTo(service.url, valuesFor(path, '2020-01-01T00:00:00')))
  assert.match(await press(page, 'Confirm'), /not good any more/)
  await page.goto(linkTo(service.url, { ...valuesFor(path), Signature: '0'.repeat(64) }))
  assert.match(await press(page, 'Confirm'), /not good any more/)
  assert.equal(await isConfirmed(), false)
  await page.goto(linkTo(service.url, valuesFor(path)))
  assert.match(await press(page, 'Confirm'), /you are subscribed/)
})

test('a service that is away is told from a link that is no good', async (t) => {
  if (!requirePeer(t, 'chromium')) return
  const { service, browser, path, isConfirmed } = await given(t)
  const page = await browser.newPage()
  await page.goto(linkTo(service.url, valuesFor(path)))
  await browser.setOffline(true)
  await button(page, 'Confirm').click()
  await page.getByText('The service could not be reached').waitFor()
  await browser.setOffline(false)
  assert.match(await press(page, 'Confirm'), /you are subscribed/)
  assert.equal(await isConfirmed(), true)
})

test('a link can make the page show and send nothing but a confirmation', async (t) => {
  if (!requirePeer(t, 'chromium')) return
  const { service, browser, path } = await given(t)
  const page = await browser.newPage()
  const { complaints } = watch(page)
  const values = valuesFor(path)
  for (const paths of [
    '',
    '/v2/queues/jobs',
    `${path}`,
    `${path}/confirm/`,
    `${path}/confirm?x`,
    `//evil.example${path}/confirm`,
    `https://evil.example${path}/confirm`,
    '/v2/queues/<b>/subscriptions/s/confirm',
    '/v2/queues/a/b/subscriptions/s/confirm',
  ]) {
    await page.goto(linkTo(service.url, { ...values, Paths: paths }))
    await page.getByText('The link is not whole').waitFor()
    assert.equal(await page.getByRole('button').count(), 0, paths)
  }
  await page.goto(`${service.url}/v2/confirm`)
  await page.getByText('The link is not whole').waitFor()
  const markup = '<img src=x onerror=alert(1)><script>alert(2)</script>'
  await page.goto(linkTo(service.url, { ...values, Project: markup, Expires: markup }))
  await button(page, 'Confirm').waitFor()
  assert.ok((await shown(page)).includes(markup))
  assert.equal(await page.locator('img').count(), 0)
  assert.deepEqual(complaints, [])
})

test('no page can put it into a frame, and it runs no script but its own', async (t) => {
  if (!requirePeer(t, 'chromium')) return
  // Else it would not even be answered within a page of another origin.
  const { service, browser, path } = await given(t, '[cors]\nallowed_origin = *\n')
  const other = await servePage()
  t.after(other.close)
  const link = linkTo(service.url, valuesFor(path))
  const page = await browser.newPage()
  const { complaints } = watch(page)
  await page.goto(other.origin)
  await page.setContent(`<iframe src="${link.replaceAll('&', '&amp;')}"></iframe>`)
  const [, frame] = page.frames()
  await frame?.waitForLoadState()
  assert.equal(await frame?.getByRole('button').count(), 0)
  assert.match(complaints.splice(0).join(), /frame-ancestors/)
  const answer = await page.goto(link)
  assert.equal(answer?.headers()['referrer-policy'], 'no-referrer')
  await page.evaluate(`
    const script = document.createElement('script')
    script.textContent = 'document.title = "taken over"'
    document.body.append(script)`)
  assert.equal(await page.title(), 'Subscription')
  assert.match(complaints.join(), /Content Security Policy/)
})

test('the link in the mail that a subscriber gets leads to it', async (t) => {
  if (!requirePeer(t, 'chromium')) return
  const mailServer = await startMailServer(t)
  const mails = `smtp_mode = self_local\nsmtp_host = 127.0.0.1\nsmtp_port = ${mailServer.port}\nsmtp_security = none\n`
  const service = await startService({ config: `[notification]\nrequire_confirmation = true\n${mails}` })
  t.after(() => service.stop())
  const body = JSON.stringify({ subscriber: 'mailto:a@receiver.example' })
  await fetch(`${service.url}/v2/queues/jobs/subscriptions`, { method: 'POST', headers: HEADERS, body })
  const link = async (mails: number) => {
    await until(() => mailServer.received.length === mails)
    return /https?:\S+/.exec(mailServer.received[mails - 1]?.body ?? '')?.[0] ?? ''
  }
  const page = await (await startBrowser(t)).newPage()
  await page.goto(await link(1))
  assert.equal(new URL(page.url()).origin, service.url)
  assert.match(await press(page, 'Confirm'), /you are subscribed/)
  assert.match(await press(page, 'Unsubscribe'), /you are unsubscribed/)
  await page.goto(await link(2))
  assert.match(await press(page, 'Subscribe again'), /you are subscribed/)
})
