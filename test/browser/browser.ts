import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type BrowserContext, chromium } from 'playwright-core'

/** Nothing here may reach beyond this machine, on which all hosts of `example` are. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--host-resolver-rules=MAP *.example 127.0.0.1',
]

/** Debian's Chromium with a profile of its own; both go with the test. */
export async function startBrowser(t: TestContext, { ignoreHTTPSErrors = false } = {}): Promise<BrowserContext> {
  const profile = mkdtempSync(join(tmpdir(), 'zaqar-browser-'))
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: '/usr/bin/chromium',
    args: FLAGS,
    ignoreHTTPSErrors,
  })
  t.after(async () => {
    await browser.close()
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
  })
  return browser
}

/** A server of one page, an empty one as a rule, and its origin. */
export async function servePage(html = '<!doctype html>'): Promise<{ origin: string; close(): void }> {
  const server = createServer((_, response) => response.setHeader('content-type', 'text/html').end(html))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => void server.close() }
}
