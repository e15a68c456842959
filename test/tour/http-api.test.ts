import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { startService } from '../support/service.ts'
import { blocksOf, commandsIn } from './page.ts'
import { openShell } from './shell.ts'

test('the commands of docs/http-api.md work in their order', async () => {
  const service = await startService()
  try {
    const outputs = await run(service.url)
    const [created, jobs, posted, listed, found, patched, shown, once, again, claimed, ...more] = outputs
    assert.deepEqual([created, jobs], ['', ''])
    assert.equal(JSON.parse(posted as string).resources.length, 2)
    assert.deepEqual(bodies(listed), [{ order: 1 }, { order: 2 }])
    assert.deepEqual(names(found), ['jobs'])
    assert.equal(JSON.parse(patched as string).team, 'payments')
    assert.equal(patched, shown)
    assert.equal(once, again)
    assert.deepEqual(bodies(claimed), [{ order: 1 }, { order: 2 }])
    const [holders, deleted, renewed, released, ...others] = more
    const [
      steady,
      next,
      steadyEnded,
      ,
      taken,
      takenAgain,
      takenEnded,
      waited,
      marked,
      reclaimed,
      dead,
      redriven,
      popped,
      stats,
      ...last
    ] = others
    const [{ messages: count, client_id }] = JSON.parse(holders as string).claims
    assert.deepEqual([count, client_id], [2, '3381af92-2b9e-11e3-b191-71861300734c'])
    assert.deepEqual([deleted, renewed, released], ['', '', ''])
    assert.equal(JSON.parse(steady as string).resources.length, 2)
    assert.deepEqual([bodies(next), JSON.parse(next as string).gone], [[{ order: 5 }], []])
    assert.deepEqual([steadyEnded, takenEnded], ['', ''])
    assert.deepEqual(bodies(taken), [{ order: 6 }])
    assert.equal(takenAgain, taken)
    assert.deepEqual(bodies(waited), [{ order: 2 }, { order: 3 }])
    const { messages } = JSON.parse(marked as string)
    const markers = messages.map(({ marker }: { marker: string }) => marker)
    assert.deepEqual([bodies(marked), markers.every(Boolean)], [bodies(waited), true])
    assert.deepEqual(bodies(reclaimed), [{ order: 3 }])
    assert.deepEqual(bodies(dead), [{ order: 2 }])
    assert.deepEqual([JSON.parse(redriven as string).moved.length, JSON.parse(redriven as string).done], [1, true])
    assert.deepEqual(bodies(popped), [{ order: 2 }])
    const { claimed: held, delayed, rates } = JSON.parse(stats as string).messages
    assert.deepEqual([held, delayed, rates.step], [1, 0, 5])
    const [subscribed, subscriptions, told, news, forgotten, streamed, shared, ...cleaned] = last
    const [{ id }] = JSON.parse(subscriptions as string).subscriptions
    assert.deepEqual(JSON.parse(subscribed as string), { subscription_id: id })
    assert.equal(JSON.parse(told as string).resources.length, 1)
    assert.deepEqual(bodies(news), ['a new version'])
    assert.equal(forgotten, '')
    assert.match(streamed as string, /^retry: 2000\n\nid: \w+\ndata: \{.*"body": \{"order": 3\}\}$/)
    assert.deepEqual(JSON.parse(shared as string).methods, ['GET', 'POST'])
    assert.deepEqual(cleaned.slice(0, 3), ['', '', ''])
    const [wrong, health, pools, versions, old, sent, bare, full, gone] = cleaned.slice(3)
    assert.equal(JSON.parse(wrong as string).title, 'Invalid API request')
    assert.equal(JSON.parse(health as string).storage_reachable, true)
    assert.deepEqual(JSON.parse(pools as string).pools, [])
    assert.deepEqual(
      JSON.parse(versions as string).versions.map(({ id }: { id: string }) => id),
      ['1', '1.1', '2'],
    )
    assert.deepEqual([old, gone], ['', ''])
    assert.equal(JSON.parse(sent as string).partial, false)
    assert.deepEqual(bodies(bare), ['hello'])
    assert.deepEqual(bodies(full), ['hello'])
  } finally {
    await service.stop()
  }
})

/** What each command has printed, but for those that only set something. */
async function run(url: string): Promise<string[]> {
  const shell = openShell(tmpdir(), { ZAQAR: url })
  const outputs: string[] = []
  for (const command of commandsIn(blocksOf('docs/http-api.md'))) {
    const output = await shell.run(command)
    if (prints(command)) outputs.push(output)
  }
  await shell.close()
  return outputs
}

function prints(line: string): boolean {
  return /^(call |echo |CLIENT=|TYPE=)/.test(line)
}

function names(listing: string | undefined): unknown[] {
  return JSON.parse(listing as string).queues.map(({ name }: { name: string }) => name)
}

function bodies(listing: string | undefined): unknown[] {
  return JSON.parse(listing as string).messages.map(({ body }: { body: unknown }) => body)
}
