import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Zaqar } from 'zaqar-client/http'
import { startService } from '../support/service.ts'
import { blocksOf, commandsIn } from './page.ts'
import { openShell } from './shell.ts'

const main = join(import.meta.dirname, '../../packages/server/src/cli/main.ts')
const UPSTREAM = '[DEFAULT]\nunreliable = true\n[transport]\nmax_messages_post_size = 524288\n'

test('the commands of docs/migrate.md bring everything there, and back', async () => {
  const [old, fresh] = await Promise.all([startService(), startService()])
  const folder = mkdtempSync(join(tmpdir(), 'zaqar-migrate-'))
  const shell = openShell(folder, {})
  try {
    writeFileSync(join(folder, 'upstream.conf'), UPSTREAM)
    const jobs = new Zaqar({ url: old.url, project: '4f1c0d' }).queue('jobs')
    await jobs.postAll([{ body: 1 }, { body: 2 }])
    await jobs.addSubscription({ subscriber: 'https://example.org/hook' })
    await new Zaqar({ url: old.url, project: '9a2be7' }).topic('news').create({ team: 'press' })
    await shell.run(`zaqar() { node ${main} "$@"; }`)
    const outputs: string[] = []
    for (const command of commandsIn(blocksOf('docs/migrate.md'))) {
      const here = command.replaceAll('http://old:8888', old.url).replaceAll('http://new:8888', fresh.url)
      const output = await shell.run(here)
      if (command.startsWith('zaqar import')) outputs.push(output.split('\n').at(-1) as string)
      // What happens between the two passes.
      if (command.includes('--no-subscriptions')) await Promise.all([jobs.pop(1), jobs.post(3)])
    }
    assert.deepEqual(outputs, [
      '2 messages and 1 subscriptions of 1 queues and 1 topics would be imported; nothing is changed',
      'pass 1: 2 messages and 0 subscriptions of 1 queues and 1 topics are imported; all are as at the source',
      'pass 2: 1 messages and 1 subscriptions of 1 queues and 1 topics are imported; all are as at the source',
      'pass 1: 2 messages and 1 subscriptions of 1 queues and 1 topics are imported; all are as at the source',
    ])
    assert.deepEqual(
      (await jobs.list()).messages.map(({ body }) => body),
      [2, 3],
    )
  } finally {
    await shell.close()
    rmSync(folder, { recursive: true })
    await Promise.all([old.stop(), fresh.stop()])
  }
})
