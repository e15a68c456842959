/**
 * `zaqar import` from OpenStack's own service, and back to it. Needs Debian's packages zaqar-server and redis-server, and in
 * ZAQAR_UPSTREAM_SCRIPTS the scripts that the package lacks: `npm run test:upstream`, which fails where something is missing.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Zaqar } from 'zaqar-client/http'
import { runHere } from '../cli/run-here.ts'
import { startCuttingProxy } from '../import/cutting-proxy.ts'
import { bodiesOf, fill, imported, operatorOf } from '../import/run-import.ts'
import { ended, zaqar } from '../support/command.ts'
import { startOnSqlite } from '../support/pooled-service.ts'
import { type Service, startService } from '../support/service.ts'
import { missingUpstream, startUpstream, type UpstreamService } from './upstream-service.ts'

/** Many pages, of 20 messages. */
const MANY = 1010

const folder = mkdtempSync(join(tmpdir(), 'zaqar-import-upstream-'))
let upstream: UpstreamService
let ours: Service

before(async () => {
  const missing = missingUpstream()
  if (missing !== null) throw new Error(missing)
  ;[upstream, ours] = await Promise.all([startUpstream(), startService()])
})

after(async () => {
  await upstream?.stop()
  await ours?.stop()
  rmSync(folder, { recursive: true })
})

function clientOf({ url }: { readonly url: string }, project: string): Zaqar {
  return new Zaqar({ url, project })
}

function sides(from: { url: string }, to: { url: string }, project: string, state: string): string[] {
  return ['--from', from.url, '--to', to.url, '--project', project, '--state', join(folder, state)]
}

const manyBodies = Array.from({ length: MANY }, (_, n) => ({ n, text: `é\u{1f600} ${'x'.repeat(n % 300)}` }))

for (const version of ['2', '1.1']) {
  test(`all of upstream's is there, once and in order, over version ${version}`, async (t) => {
    const project = `from-v${version.replace('.', '')}`
    const from = clientOf(upstream, project)
    await from.queue('many').create({ owner: { team: 'billing' }, _default_message_ttl: 7200 })
    await fill(from.queue('many'), manyBodies)
    await from.queue('many').claim({ limit: 7, ttl: 300 })
    // Behind the first item of a listing Redis shows it again.
    await fill(from.queue('one'), ['alone'])
    await from.queue('none').create()
    await from.topic('news').create()
    const argv = sides(upstream, ours, project, `from-${version}`)
    const start = performance.now()
    const { summary, of } = await imported(['import', ...argv, '--from-version', version])
    const seconds = (performance.now() - start) / 1000
    assert.deepEqual([summary.queues, summary.messages, summary.wrong], [3, MANY + 1, 0])
    // It has topics on MongoDB alone, and lists none that it was told to make.
    assert.deepEqual([summary.topics, summary.topicSupport], [0, 'none'])
    assert.partialDeepStrictEqual(of('many'), {
      claimed: 7,
      unlisted: 0,
      verification: { source: MANY, destination: MANY },
    })
    const to = clientOf(ours, project)
    assert.deepEqual(await bodiesOf(to.queue('many')), manyBodies)
    assert.deepEqual(await bodiesOf(to.queue('one')), ['alone'])
    assert.partialDeepStrictEqual(await to.queue('many').metadata(), {
      owner: { team: 'billing' },
      _default_message_ttl: 7200,
    })
    t.diagnostic(`${MANY + 1} messages in ${seconds.toFixed(1)} s, both sides compared`)
  })
}

test('delays, short lives and subscriptions come over', async () => {
  const from = clientOf(upstream, 'terms')
  await from.queue('slow').create({ _default_message_delay: 300 })
  await from.queue('slow').postAll([
    { body: 'free', delay: 0, ttl: 5000 },
    { body: 'late', ttl: 7000 },
    { body: 'short', delay: 0, ttl: 60 },
  ])
  await from
    .queue('slow')
    .addSubscription({ subscriber: 'https://example.org/hook', ttl: 9000, options: { post_headers: { a: 'b' } } })
  const id = await from.queue('slow').addSubscription({ subscriber: 'mailto:a@example.org', ttl: 9000 })
  await from.queue('slow').confirmSubscription(id)
  const { of } = await imported(['import', ...sides(upstream, ours, 'terms', 'terms')])
  assert.partialDeepStrictEqual(of('slow'), { seen: 3, delayed: 1, subscriptions: 2, ok: true })
  const to = clientOf(ours, 'terms').queue('slow')
  const visible = await Array.fromAsync(to.messages())
  assert.deepEqual(
    visible.map(({ body }) => body),
    ['free', 'short'],
  )
  assert.deepEqual(await bodiesOf(clientOf(ours, 'terms').queue('slow')), ['free', 'late', 'short'])
  const subscriptions = await Array.fromAsync(to.subscriptions())
  const confirmed = Object.fromEntries(subscriptions.map(({ subscriber, confirmed }) => [subscriber, confirmed]))
  assert.deepEqual(confirmed, { 'https://example.org/hook': false, 'mailto:a@example.org': true })
})

test('a cloud changes over in two passes while it works, and back', async (t) => {
  const from = clientOf(upstream, 'cloud')
  const to = clientOf(ours, 'cloud')
  await fill(from.queue('jobs'), manyBodies.slice(0, 300))
  const argv = sides(upstream, ours, 'cloud', 'cloud')
  await imported(['import', ...argv, '--no-subscriptions'])
  const claim = await from.queue('jobs').claim({ limit: 20 })
  await from.queue('jobs').deleteMessages(claim?.messages.map(({ id }) => id) ?? [])
  await fill(from.queue('jobs'), ['since'])
  const { of } = await imported(['import', ...argv, '--remove-gone'])
  assert.partialDeepStrictEqual(of('jobs'), { imported: 1, gone: 20, removed: 20, ok: true })
  assert.deepEqual(await bodiesOf(to.queue('jobs')), await bodiesOf(from.queue('jobs')))

  // It works at ours for a while, and goes back.
  await to.queue('jobs').pop(10)
  await fill(to.queue('jobs'), ['new'])
  assert.match(
    (await imported(['import', ...sides(ours, upstream, 'cloud', 'back')], { code: 1 })).of('jobs')
      .problems[0] as string,
    /holds messages/,
  )
  await to.topic('news').post('new')
  const topics = await imported(['import', ...sides(ours, upstream, 'cloud', 'topics'), '--topic', 'news'], { code: 1 })
  assert.deepEqual(topics.ofTopic('news').problems, ['the destination keeps no messages of topics'])
  await to.topic('news').delete()
  await from.queue('jobs').purge(['messages'])
  const proxy = await startCuttingProxy(upstream.url)
  try {
    const back = sides(ours, proxy, 'cloud', 'back-cut')
    const child = zaqar(['import', ...back], folder)
    proxy.cut(3, 'after', () => child.kill('SIGKILL') && false)
    assert.equal((await ended(child)).signal, 'SIGKILL')
    // An answer that is lost, too: upstream does not know the key of a POST.
    proxy.cut(1, 'after', () => false)
    assert.equal((await imported(['import', ...back])).summary.wrong, 0)
  } finally {
    await proxy.close()
  }
  const there = await bodiesOf(from.queue('jobs'))
  assert.deepEqual(there, await bodiesOf(to.queue('jobs')))
  t.diagnostic(`${there.length} messages went back, with a kill and a lost answer`)
})

test('killed between any two pages and run again, nothing is lost and nothing doubled', async (t) => {
  const from = clientOf(upstream, 'killed')
  await fill(from.queue('a'), manyBodies.slice(0, 200))
  await fill(from.queue('b'), manyBodies.slice(200, 400))
  const proxy = await startCuttingProxy(ours.url)
  try {
    const argv = sides(upstream, proxy, 'killed', 'killed')
    for (const moment of ['before', 'after', 'after'] as const) {
      const child = zaqar(['import', ...argv], folder)
      proxy.cut(Math.floor(Math.random() * 5), moment, () => child.kill('SIGKILL') && false)
      assert.equal((await ended(child)).signal, 'SIGKILL')
    }
    const { summary } = await imported(['import', ...argv])
    t.diagnostic(`${summary.messages} messages were left for the pass that was not killed`)
  } finally {
    await proxy.close()
  }
  for (const queue of ['a', 'b'])
    assert.deepEqual(await bodiesOf(clientOf(ours, 'killed').queue(queue)), await bodiesOf(from.queue(queue)))
})

test('messages behind many that have expired are missed only until a claim has cleared those, and that is said', async () => {
  const from = clientOf(upstream, 'expired')
  const ids = await from.queue('jobs').postAll(Array.from({ length: 30 }, () => ({ body: 'gone' })))
  await fill(from.queue('jobs'), ['kept'])
  await upstream.expire(ids)
  const argv = sides(upstream, ours, 'expired', 'expired')
  const hidden = (await imported(['import', ...argv], { code: 1 })).of('jobs')
  assert.deepEqual([hidden.seen, hidden.ok], [0, false])
  const claim = await from.queue('jobs').claim({ limit: 1 })
  await claim?.release()
  assert.partialDeepStrictEqual((await imported(['import', ...argv])).of('jobs'), { imported: 1, seen: 1, ok: true })
})

test('names that Redis cuts at a dot are refused, and can be given', async () => {
  const from = clientOf(upstream, 'dots')
  await fill(from.queue('jobs.high'), ['a'])
  await fill(from.queue('jobs.low'), ['b'])
  const { code, stderr } = await runHere(['import', ...sides(upstream, ours, 'dots', 'dots')])
  assert.equal(code, 1)
  assert.match(stderr, /lists the queue jobs twice/)
  const named = [...sides(upstream, ours, 'dots', 'dots'), '--queue', 'jobs.high', '--queue', 'jobs.low']
  assert.equal((await imported(['import', ...named])).summary.messages, 2)
})

test('pools and flavors come over, and queues are placed by them', async () => {
  const pooled = await startUpstream({ pooling: true })
  const to = await startOnSqlite(2)
  try {
    const from = operatorOf(pooled, 'pooled')
    await from.putPool('fast', { uri: pooled.redis(1), weight: 30 })
    await from.putPool('old', { uri: pooled.redis(2), weight: 10 })
    await from.putPool('left', { uri: pooled.redis(3), weight: 1 })
    await from.putFlavor('quick', ['fast'])
    await from.queue('jobs').create({ _flavor: 'quick' })
    await fill(from.queue('jobs'), ['a', 'b'])
    await fill(from.queue('anywhere'), ['c'])
    const addresses = join(folder, 'pools.json')
    writeFileSync(addresses, JSON.stringify({ fast: to.uris[0], old: to.uris[1] }))
    const { summary } = await imported(['import', ...sides(pooled, to, 'pooled', 'pooled'), '--pools', addresses])
    assert.partialDeepStrictEqual(summary, { pools: 2, flavors: 1, queues: 2, messages: 3, wrong: 0 })
    const there = operatorOf(to, 'pooled')
    const pools = await Array.fromAsync(there.pools())
    assert.deepEqual(
      pools.map(({ name, uri, weight }) => ({ name, uri, weight })),
      [
        { name: 'fast', uri: to.uris[0], weight: 30 },
        { name: 'old', uri: to.uris[1], weight: 10 },
      ],
    )
    assert.deepEqual((await there.flavor('quick'))?.pool_list, ['fast'])
    assert.equal((await there.queue('jobs').metadata())['_flavor'], 'quick')
    assert.deepEqual(await bodiesOf(there.queue('jobs')), ['a', 'b'])
  } finally {
    await pooled.stop()
    await to.stop()
  }
})
