import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { BrowserContext, Page } from 'playwright-core'
import { Zaqar } from 'zaqar-client'
import { startBrowser } from '../browser/browser.ts'
import { type ServiceOptions, startService } from '../support/service.ts'

/** A page of the console, and what has gone wrong in it so far. */
export interface WatchedPage {
  readonly page: Page
  /** Errors of scripts, breaches of the Content-Security-Policy, dialogs, and requests to other origins. */
  readonly complaints: readonly string[]
  /** Requests that failed or were refused, as the browser tells of them. */
  readonly failedLoads: readonly string[]
}

/** Opens the console of the service at `url`. `hash`: where to begin in it. */
export async function openConsole(browser: BrowserContext, url: string, hash = ''): Promise<WatchedPage> {
  const page = await browser.newPage()
  const complaints: string[] = []
  const failedLoads: string[] = []
  page.on('console', (message) => {
    const said = message.text()
    // A server that is away, or says no, is no fault of the page.
    if (/^Failed to load resource|^WebSocket connection to/.test(said)) failedLoads.push(said)
    else if (message.type() === 'error' || said.includes('Content Security Policy')) complaints.push(said)
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('dialog', (dialog) => {
    complaints.push(`a dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  const { host } = new URL(url)
  const isElsewhere = (target: string) => !target.startsWith('blob:') && new URL(target).host !== host
  page.on('request', (request) => isElsewhere(request.url()) && complaints.push(`a request to ${request.url()}`))
  page.on('websocket', (socket) => isElsewhere(socket.url()) && complaints.push(`a socket to ${socket.url()}`))
  await page.goto(`${url}/console/${hash}`)
  return { page, complaints, failedLoads }
}

/** One service and one browser for the tests of a file. Both end with `t`. */
export async function startBoth(t: TestContext, options: ServiceOptions = {}) {
  const service = await startService(options)
  t.after(() => service.kill())
  return { service, browser: await startBrowser(t) }
}

/** The same for a service that asks nobody who they are, with its console open in a project. */
export async function openProject(t: TestContext, options: ServiceOptions = {}) {
  const { service, browser } = await startBoth(t, { config: '[DEFAULT]\nadmin_mode = true\n', ...options })
  const watched = await openConsole(browser, service.url)
  await signInToProject(watched.page)
  const zaqar = new Zaqar({ url: service.url, project: PROJECT })
  t.after(() => zaqar.close())
  return { service, browser, ...watched, zaqar }
}

const PROJECT = 'demo'

export async function signInToProject(page: Page, project = PROJECT): Promise<void> {
  await page.getByLabel('Project').fill(project)
  await press(page, 'Open')
  await page.getByRole('button', { name: 'Sign out' }).waitFor()
}

export async function press(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name, exact: true }).click()
}

/** Leads to another page of the console. */
export async function go(page: Page, hash: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(hash)}`)
}

export function assertNoComplaints({ complaints, failedLoads }: WatchedPage): void {
  assert.deepEqual({ complaints, failedLoads }, { complaints: [], failedLoads: [] })
}
