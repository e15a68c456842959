/** Without TLS, and by a name or address that is not this machine's own: browsers give such pages less. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requirePeer } from '../support/peers.ts'
import { assertNoComplaints, go, openConsole, press, signInToProject, startBoth } from './open.ts'

test('a page without TLS works, too', async (t) => {
  if (!requirePeer(t, 'chromium')) return
  const { service, browser } = await startBoth(t, {
    config: '[http]\nallowed_hosts = console.example\n[signed_url]\nsecret_key = s3cret\n',
  })
  const opened = await openConsole(browser, `http://console.example:${service.port}`)
  const { page } = opened
  assert.equal(await page.evaluate('isSecureContext'), false)
  await page.getByLabel('Project').fill('\u0393')
  await press(page, 'Open')
  await page.getByRole('alert').getByText('Latin letters').waitFor()
  await signInToProject(page)
  await go(page, '#/queues/orders/post')
  await page.getByLabel('Body').fill('over plain HTTP')
  await press(page, 'Post')
  await page.getByText('1 message posted').waitFor()
  await page.getByRole('link', { name: 'Claims', exact: true }).click()
  await press(page, 'Claim')
  await page.getByText('"over plain HTTP"').waitFor()
  await page.getByRole('link', { name: 'Signed URLs' }).click()
  await press(page, 'Make')
  await press(page, 'Copy')
  await page.getByText('Copied').waitFor()
  // One header is for pages with TLS alone, and the browser says so.
  const isOfHeader = (said: string) => said.startsWith('The Cross-Origin-Opener-Policy header has been ignored')
  assertNoComplaints({ ...opened, complaints: opened.complaints.filter((said) => !isOfHeader(said)) })
})
