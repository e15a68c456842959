import assert from 'node:assert/strict'
import { Zaqar } from 'zaqar-client'

/** Posts a message, is told of it over a socket, claims and deletes it; loads the console. */
export async function useService(url: string): Promise<void> {
  const zaqar = new Zaqar({ url, project: 'demo' })
  try {
    const queue = zaqar.queue('used')
    const told = Promise.withResolvers<unknown>()
    const subscriber = queue.subscribe(({ body }) => told.resolve(body), { from: 'start' })
    await queue.post({ order: 1 })
    assert.deepEqual([await told.promise, subscriber.transport], [{ order: 1 }, 'socket'])
    await subscriber.stop()
    const claim = await queue.claim({ limit: 1 })
    assert.deepEqual(claim?.messages[0]?.body, { order: 1 })
    await claim?.delete(claim.messages[0] as { id: string })
    assert.equal((await queue.stats()).total, 0)
  } finally {
    zaqar.close()
  }
  await loadConsole(url)
}

/** The page, and all that it loads. */
export async function loadConsole(url: string): Promise<void> {
  const page = await fetch(`${url}/console/`)
  assert.deepEqual([page.status, page.headers.get('content-type')], [200, 'text/html; charset=utf-8'])
  const files = Array.from((await page.text()).matchAll(/(?:src|href)="\.\/([^"]+)"/g), ([, name = '']) => name)
  assert.equal(files.length, 3, 'an icon, a script and a style')
  for (const name of files) assert.equal((await fetch(`${url}/console/${name}`)).status, 200, name)
}
