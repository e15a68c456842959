/** The command line against OpenStack's own service; needs what import.upstream.ts needs, and runs with it. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { runHere } from '../cli/run-here.ts'
import { missingUpstream, startUpstream, type UpstreamService } from './upstream-service.ts'

const folder = mkdtempSync(join(tmpdir(), 'zaqar-commands-upstream-'))
let upstream: UpstreamService
let pooled: UpstreamService

before(async () => {
  const missing = missingUpstream()
  if (missing !== null) throw new Error(missing)
  ;[upstream, pooled] = await Promise.all([startUpstream(), startUpstream({ pooling: true })])
})

after(async () => {
  await upstream?.stop()
  await pooled?.stop()
  rmSync(folder, { recursive: true })
})

async function done(argv: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runHere(argv)
  assert.deepEqual([code, stderr], [0, ''], `${argv.join(' ')}: ${stdout}`)
  return stdout
}

function ask(...argv: readonly string[]): Promise<string> {
  return done(['--url', upstream.url, '--project', 'demo', ...argv])
}

async function json(...argv: readonly string[]) {
  return JSON.parse(await ask(...argv, '--json'))
}

function askPooled(...argv: readonly string[]): Promise<string> {
  return done(['--url', pooled.url, '--project', 'demo', ...argv])
}

test('does with queues, messages, claims and subscriptions what OpenStack has', async () => {
  assert.equal(await ask('ping'), 'the service answers\n')
  assert.equal((await json('health')).storage_reachable, true)
  await ask('queue', 'create', 'jobs', 'team=billing')
  assert.match(await ask('queue', 'set', 'jobs', 'team=red', '_default_message_ttl=1000'), /^team +red$/m)
  assert.equal('team' in (await json('queue', 'unset', 'jobs', 'team')), false)
  assert.equal((await json('queue', 'show', 'jobs'))._default_message_ttl, 1000)
  assert.deepEqual(
    (await json('queue', 'list')).map(({ name }: { name: string }) => name),
    ['jobs'],
  )
  const { ids } = await json('message', 'post', 'jobs', '{"order": 1}', 'two', 'three')
  assert.deepEqual((await json('message', 'show', 'jobs', ids[0])).body, { order: 1 })
  assert.match(await ask('tail', 'jobs', '--from', 'start', '--count', '2'), /"two"\n$/)
  const claim = await json('claim', 'create', 'jobs', '--limit', '1', '--ttl', '300')
  await ask('claim', 'renew', 'jobs', claim.id, '--ttl', '600')
  assert.equal((await json('message', 'list', 'jobs')).length, 2)
  assert.equal((await json('message', 'list', 'jobs', '--include-claimed', '--include-delayed', '--no-echo')).length, 3)
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
  await ask('subscription', 'confirm', 'jobs', subscription.id)
  assert.equal((await json('subscription', 'show', 'jobs', subscription.id)).confirmed, true)
  await ask('subscription', 'delete', 'jobs', subscription.id)
  await ask('queue', 'purge', 'jobs')
  assert.equal((await json('queue', 'stats', 'jobs')).total, 0)
  await ask('queue', 'delete', 'jobs')
  assert.deepEqual(await json('queue', 'list'), [])
})

test('lets somebody without an account in', async () => {
  const file = join(folder, 'signed.json')
  await ask('signed-url', 'create', 'signed', '--method', 'GET', '--method', 'POST', '--output', file)
  await done(['--signed-url', file, 'message', 'post', 'signed', 'a'])
  assert.match(await done(['--signed-url', file, 'tail', 'signed', '--from', 'start', '--count', '1']), /"a"\n$/)
  const { code, stderr } = await runHere(['--signed-url', file, 'message', 'pop', 'signed'])
  assert.equal(code, 3)
  assert.match(stderr, /does not accept the signed URL/)
})

test('says of what upstream lacks that it is not there', async () => {
  for (const argv of [
    ['queue', 'redrive', 'jobs'],
    ['subscription', 'failures', 'jobs', '1'],
  ]) {
    const { code, stderr } = await runHere(['--url', upstream.url, '--project', 'demo', ...argv])
    assert.equal(code, 3)
    assert.match(stderr, /^zaqar: the service has nothing at this address \(404 Not Found\)/)
  }
})

test('manages pools and flavors, and tells how each pool is', async () => {
  const uri = pooled.redis(1)
  assert.equal(await askPooled('pool', 'create', 'fast', '--uri', uri, '--weight', '10'), 'pool fast is created\n')
  const options = '{"max_retry_sleep": 1}'
  await askPooled('pool', 'create', 'slow', '--uri', pooled.redis(2), '--weight', '1', '--options', options)
  assert.match(await askPooled('pool', 'set', 'fast', '--weight', '20'), /^weight +20$/m)
  assert.match(await askPooled('pool', 'list'), new RegExp(`^fast +20 +- +${uri}$`, 'm'))
  await askPooled('flavor', 'create', 'quick', 'fast')
  assert.match(await askPooled('flavor', 'set', 'quick', 'fast', 'slow'), /^pool_list +\["fast","slow"\]$/m)
  assert.match(await askPooled('flavor', 'list'), /^quick +fast slow /m)
  await askPooled('queue', 'create', 'jobs', '_flavor=quick')
  await askPooled('message', 'post', 'jobs', 'a')
  assert.match(await askPooled('message', 'list', 'jobs'), /"a"\n$/)
  const health = await askPooled('health')
  assert.match(health, /^catalog_reachable +true$/m)
  assert.match(health, /^pool fast +create_queue [\d.]+ ms, .*delete_queue [\d.]+ ms$/m)
  await askPooled('flavor', 'delete', 'quick')
  await askPooled('pool', 'delete', 'fast', 'slow')
  assert.deepEqual(JSON.parse(await askPooled('pool', 'list', '--json')), [])
})
