/** The command line against OpenStack's own service; needs what import.upstream.ts needs, and runs with it. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { runHere } from '../cli/run-here.ts'
import { missingUpstream, startUpstream, type UpstreamService } from './upstream-service.ts'

let upstream: UpstreamService

before(async () => {
  const missing = missingUpstream()
  if (missing !== null) throw new Error(missing)
  upstream = await startUpstream()
})

after(() => upstream?.stop())

async function ask(...argv: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runHere(['--url', upstream.url, '--project', 'demo', ...argv])
  assert.deepEqual([code, stderr], [0, ''], `${argv.join(' ')}: ${stdout}`)
  return stdout
}

async function json(...argv: readonly string[]) {
  return JSON.parse(await ask(...argv, '--json'))
}

test('does with queues, messages, claims and subscriptions what OpenStack has', async () => {
  assert.equal(await ask('ping'), 'the service answers\n')
  await ask('queue', 'create', 'jobs', 'team=billing')
  assert.deepEqual(
    (await json('queue', 'list')).map(({ name }: { name: string }) => name),
    ['jobs'],
  )
  const { ids } = await json('message', 'post', 'jobs', '{"order": 1}', 'two', 'three')
  assert.deepEqual((await json('message', 'show', 'jobs', ids[0])).body, { order: 1 })
  assert.match(await ask('tail', 'jobs', '--from', 'start', '--count', '2'), /"two"\n$/)
  const claim = await json('claim', 'create', 'jobs', '--limit', '1', '--ttl', '300')
  await ask('claim', 'renew', 'jobs', claim.id, '--ttl', '600')
  assert.equal((await json('claim', 'show', 'jobs', claim.id)).messages.length, 1)
  await ask('claim', 'release', 'jobs', claim.id)
  assert.deepEqual((await json('message', 'pop', 'jobs', '--count', '1'))[0].body, { order: 1 })
  assert.equal((await json('queue', 'stats', 'jobs')).total, 2)
  await ask('message', 'delete', 'jobs', ids[1])
  assert.deepEqual(
    (await json('message', 'list', 'jobs')).map(({ body }: { body: unknown }) => body),
    ['three'],
  )
  const subscription = await json('subscription', 'create', 'jobs', 'http://127.0.0.1:1/hook', '--ttl', '300')
  await ask('subscription', 'set', 'jobs', subscription.id, '--ttl', '600')
  assert.match(await ask('subscription', 'list', 'jobs'), /127\.0\.0\.1:1\/hook/)
  await ask('subscription', 'delete', 'jobs', subscription.id)
  await ask('queue', 'purge', 'jobs')
  assert.equal((await json('queue', 'stats', 'jobs')).total, 0)
  await ask('queue', 'delete', 'jobs')
  assert.deepEqual(await json('queue', 'list'), [])
})

test('says of what upstream lacks that it is not there', async () => {
  const { code, stderr } = await runHere(['--url', upstream.url, '--project', 'demo', 'message', 'redrive', 'jobs'])
  assert.notEqual(code, 0)
  assert.match(stderr, /^zaqar: /)
})
