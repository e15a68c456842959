import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { Zaqar } from 'zaqar-client/http'
import { missingPostgres } from '../../packages/server/test/storage/postgres-server.ts'
import { runHere } from '../cli/run-here.ts'
import { createDatabase } from '../nodes/database.ts'
import { ended, zaqar } from '../support/command.ts'
import { startOnSqlite } from '../support/pooled-service.ts'
import { type Service, startService } from '../support/service.ts'
import { startCuttingProxy } from './cutting-proxy.ts'
import { bodiesOf, fill, imported, operatorOf } from './run-import.ts'

const CONFIG = `
[DEFAULT]
enable_deprecated_api_versions = 1.1
[signed_url]
secret_key = known
`

let source: Service
let destination: Pick<Service, 'url' | 'stop'>
/** Each test has a project of its own, and a folder for its state. */
let project: string
let folder: string
let tests = 0

before(async () => {
  source = await startService({ config: CONFIG })
})

after(() => source.stop())

afterEach(() => rmSync(folder, { recursive: true }))

beforeEach(() => {
  tests += 1
  project = `project-${tests}`
  folder = mkdtempSync(join(tmpdir(), 'zaqar-import-'))
})

function clientOf({ url }: { url: string }): Zaqar {
  return new Zaqar({ url, project })
}

/** The command line of an import from the one to the other. */
function importing(...flags: readonly string[]): string[] {
  const sides = ['--from', source.url, '--to', destination.url]
  return ['import', ...sides, '--project', project, '--state', join(folder, 'state'), ...flags]
}

/** Bodies, which tell queues apart. */
function numbered(queue: string, count: number): unknown[] {
  return Array.from({ length: count }, (_, n) => ({ queue, n }))
}

async function startOnDatabase(): Promise<Pick<Service, 'url' | 'stop'>> {
  const database = await createDatabase()
  const { url, stop } = await startService({ args: ['--storage', database.uri] })
  return {
    url,
    async stop() {
      await stop()
      await database.drop()
    },
  }
}

/** Where things come to. */
const engines = [
  { engine: 'SQLite', start: startService, skip: false },
  { engine: 'PostgreSQL', start: startOnDatabase, skip: (await missingPostgres()) ?? false },
]
for (const { engine, start, skip } of engines) {
  describe(`to a service on ${engine}:`, { skip }, () => {
    before(async () => {
      destination = await start()
    })
    after(() => destination.stop())

    for (const forgetsKeys of [false, true]) {
      const which = forgetsKeys ? ', which does not know Idempotency-Key' : ''
      test(`killed at any instant and run again, all is there once and in order${which}`, async (t) => {
        const from = clientOf(source)
        const of = (zaqar: Zaqar) => [zaqar.queue('a'), zaqar.topic('a'), zaqar.topic('b')]
        // So many POSTs of messages that both kills meet one.
        for (const [n, place] of of(from).entries()) await fill(place, numbered(`${n}`, 80))
        const proxy = await startCuttingProxy(destination.url, { forgetsKeys })
        try {
          const argv = [
            'import',
            '--from',
            source.url,
            '--to',
            proxy.url,
            '--project',
            project,
            '--state',
            join(folder, 'state'),
          ]
          const kills: string[] = []
          for (const moment of ['before', 'after'] as const) {
            const child = zaqar(argv, folder)
            const post = Math.floor(Math.random() * 6)
            proxy.cut(post, moment, () => child.kill('SIGKILL') && false)
            const { signal } = await ended(child)
            assert.equal(signal, 'SIGKILL')
            kills.push(`${moment} POST ${post}`)
          }
          // An answer that is lost, while the command lives.
          proxy.cut(0, 'after', () => false)
          const { summary } = await imported(argv)
          assert.deepEqual([summary.pass, summary.wrong], [3, 0], kills.join(', '))
          for (const [n, place] of of(clientOf(destination)).entries())
            assert.deepEqual(await bodiesOf(place), numbered(`${n}`, 80))
          t.diagnostic(`killed ${kills.join(', ')}`)
        } finally {
          await proxy.close()
        }
      })
    }

    describe('an import', () => {
      test('brings metadata as they are, without the defaults of the source', async () => {
        const metadata = {
          '10': 'b',
          '9': [1.5, null],
          _default_message_ttl: 600,
          _dead_letter_queue: 'dead',
          'a/b~c': '',
        }
        await clientOf(source).queue('jobs').create(metadata)
        await imported(importing())
        assert.partialDeepStrictEqual(await clientOf(destination).queue('jobs').metadata(), metadata)
        const changed = { op: 'replace', path: '/metadata/_default_message_ttl', value: 900 } as const
        await clientOf(source)
          .queue('jobs')
          .update([changed, { op: 'remove', path: '/metadata/a~1b~0c' }])
        await clientOf(destination)
          .queue('jobs')
          .update([{ op: 'add', path: '/metadata/here', value: 1 }])
        await imported(importing())
        const { 'a/b~c': _, ...rest } = metadata
        const brought = await clientOf(destination).queue('jobs').metadata()
        assert.partialDeepStrictEqual(brought, { ...rest, _default_message_ttl: 900, here: 1 })
        assert.equal('a/b~c' in brought, false)
      })

      test('keeps bodies as they were spelt', async () => {
        const headers = { 'Client-ID': crypto.randomUUID(), 'X-Project-ID': project }
        const body = '{"messages": [{"body": {"10": 1.10, "9": 12345678901234567, "é": "\\u00e9\\ud800"}}]}'
        const url = (service: { url: string }) => `${service.url}/v2/queues/jobs/messages?echo=true`
        await fetch(url(source), { method: 'POST', headers, body })
        await imported(importing())
        const texts = await Promise.all(
          [source, destination].map(async (service) => (await fetch(url(service), { headers })).text()),
        )
        const [there, here] = texts.map((text) => text.slice(text.indexOf('"body"'), text.indexOf('}')))
        assert.equal(here, there)
        assert.match(here as string, /"10": 1\.10, "9": 12345678901234567/)
      })

      test('gives messages the life and the delay that they have left, and claimed ones free', async () => {
        const from = clientOf(source).queue('slow')
        await from.create({ _default_message_delay: 300 })
        await from.postAll([
          { body: 'free', delay: 0, ttl: 5000 },
          { body: 'late', ttl: 7000 },
          { body: 'short', delay: 0, ttl: 60 },
        ])
        await from.claim({ limit: 1 })
        const report = (await imported(importing())).of('slow')
        assert.partialDeepStrictEqual(report, { seen: 3, claimed: 1, delayed: 1, ok: true })
        const target = clientOf(destination).queue('slow')
        const { messages } = await target.list({ includeDelayed: true })
        const lives = Object.fromEntries(messages.map(({ body, ttl }) => [body, ttl]))
        assert.ok(lives['free'] > 4900 && lives['free'] <= 5000 && lives['late'] > 6900 && lives['late'] <= 7000)
        assert.equal(lives['short'], 60)
        assert.deepEqual(
          (await target.list()).messages.map(({ body }) => body),
          ['free', 'short'],
        )
        const claimed = await target.claim()
        assert.deepEqual(
          claimed?.messages.map(({ body }) => body),
          ['free', 'short'],
        )
      })

      test('brings what came since, removes what has gone, and says when a message is missing', async () => {
        const from = clientOf(source).queue('jobs')
        const target = clientOf(destination).queue('jobs')
        await fill(clientOf(source).queue('jobs'), numbered('jobs', 30))
        await imported(importing())
        await from.pop(5)
        await from.postAll([{ body: 'later' }])
        assert.partialDeepStrictEqual((await imported(importing())).of('jobs'), {
          imported: 1,
          seen: 26,
          gone: 5,
          removed: 0,
          ok: true,
        })
        assert.partialDeepStrictEqual((await imported(importing('--remove-gone'))).of('jobs'), {
          imported: 0,
          gone: 5,
          removed: 5,
        })
        assert.deepEqual(
          await bodiesOf(clientOf(destination).queue('jobs')),
          await bodiesOf(clientOf(source).queue('jobs')),
        )
        await target.pop(1)
        const wrong = await imported(importing(), { code: 1 })
        assert.partialDeepStrictEqual(wrong.of('jobs'), {
          ok: false,
          verification: { source: 26, destination: 25, missing: 1 },
        })
        assert.equal(wrong.summary.wrong, 1)
      })

      test('makes subscriptions behind the messages, confirmed where they are', async () => {
        const from = clientOf(source).queue('jobs')
        await from.addSubscription({ subscriber: 'https://example.org/a', ttl: 9000, options: { a: [1.5] } })
        await from.confirmSubscription(await from.addSubscription({ subscriber: 'mailto:b@example.org' }))
        assert.equal((await imported(importing('--no-subscriptions'))).of('jobs').subscriptions, 0)
        assert.deepEqual(await Array.fromAsync(clientOf(destination).queue('jobs').subscriptions()), [])
        for (const _ of ['twice', 'the same']) assert.equal((await imported(importing())).of('jobs').subscriptions, 2)
        const listed = await Array.fromAsync(clientOf(destination).queue('jobs').subscriptions())
        const shown = listed.map(({ subscriber, options, confirmed, source }) => ({
          subscriber,
          options,
          confirmed,
          source,
        }))
        assert.deepEqual(
          shown.sort((a, b) => (a.subscriber < b.subscriber ? -1 : 1)),
          [
            { subscriber: 'https://example.org/a', options: { a: [1.5] }, confirmed: false, source: 'jobs' },
            { subscriber: 'mailto:b@example.org', options: {}, confirmed: true, source: 'jobs' },
          ],
        )
      })

      test('brings topics, and what is in them, apart from queues of the same names', async () => {
        const from = clientOf(source)
        const target = clientOf(destination)
        await from.topic('news').create({ team: 'press', _default_message_ttl: 9000 })
        await from.topic('quiet').create()
        await fill(from.topic('news'), numbered('topic', 30))
        await fill(from.queue('news'), numbered('queue', 3))
        await from.topic('news').addSubscription({ subscriber: 'https://example.org/topic', ttl: 9000 })
        await from.queue('news').addSubscription({ subscriber: 'https://example.org/queue', ttl: 9000 })
        const all = { queues: 1, topics: 2, messages: 33, subscriptions: 2, topicSupport: 'whole', wrong: 0 }
        assert.partialDeepStrictEqual((await imported(importing('--dry-run'))).summary, all)
        assert.deepEqual(await Array.fromAsync(target.topics()), [])
        const { summary, of, ofTopic } = await imported(importing())
        assert.partialDeepStrictEqual(summary, all)
        assert.partialDeepStrictEqual(of('news'), { seen: 3, subscriptions: 1, verification: { destination: 3 } })
        assert.partialDeepStrictEqual(ofTopic('news'), {
          seen: 30,
          subscriptions: 1,
          verification: { destination: 30 },
        })
        assert.partialDeepStrictEqual(ofTopic('quiet'), { seen: 0, subscriptions: 0, ok: true })
        assert.deepEqual(await bodiesOf(target.topic('news')), numbered('topic', 30))
        assert.deepEqual(await bodiesOf(target.queue('news')), numbered('queue', 3))
        for (const kind of ['topic', 'queue'] as const) {
          const subscriptions = await Array.fromAsync(target[kind]('news').subscriptions())
          assert.deepEqual(
            subscriptions.map(({ subscriber }) => subscriber),
            [`https://example.org/${kind}`],
          )
        }
        assert.deepEqual(await target.topic('news').metadata(), await from.topic('news').metadata())

        const posted = await from.topic('news').list({ limit: 2 })
        await from.topic('news').deleteMessages(posted.messages.map(({ id }) => id))
        await from.topic('news').post('since')
        await from.topic('news').update([{ op: 'remove', path: '/metadata/team' }])
        const again = (await imported(importing('--remove-gone', '--topic', 'news'))).lines
        assert.equal(again.length, 1)
        assert.partialDeepStrictEqual(again[0], { topic: 'news', imported: 1, gone: 2, removed: 2, ok: true })
        assert.deepEqual(await bodiesOf(target.topic('news')), await bodiesOf(from.topic('news')))
        assert.equal('team' in (await target.topic('news').metadata()), false)
        await target
          .topic('news')
          .deleteMessages((await target.topic('news').list({ limit: 1 })).messages.map(({ id }) => id))
        const wrong = await imported(importing(), { code: 1 })
        assert.partialDeepStrictEqual(wrong.ofTopic('news'), { ok: false, verification: { source: 29, missing: 1 } })
        assert.equal(wrong.of('news').ok, true)
      })

      test('from version 1.1 is the same, without what that cannot show', async () => {
        await clientOf(source).queue('jobs').create({ team: 'billing', _max_claim_count: 3 })
        await fill(clientOf(source).queue('jobs'), numbered('jobs', 45))
        await clientOf(source).queue('jobs').claim({ limit: 2 })
        await clientOf(source).queue('slow').create({ _default_message_delay: 300 })
        await clientOf(source).queue('slow').post('late')
        await clientOf(source).queue('secret').create({ _enable_encrypt_messages: false })
        const { summary, of } = await imported(importing('--from-version', '1.1'), { code: 1 })
        assert.deepEqual([summary.version, summary.messages, summary.topicSupport], ['1.1', 45, 'none'])
        assert.partialDeepStrictEqual(of('jobs'), { seen: 45, claimed: 2, ok: true })
        assert.partialDeepStrictEqual(of('slow'), { seen: 0, unlisted: 1, ok: false })
        assert.deepEqual(
          await bodiesOf(clientOf(destination).queue('jobs')),
          await bodiesOf(clientOf(source).queue('jobs')),
        )
        assert.partialDeepStrictEqual(await clientOf(destination).queue('jobs').metadata(), {
          team: 'billing',
          _max_claim_count: 3,
        })
      })

      test('does nothing when it is to be tried only, and reads no faster than it may', async () => {
        await fill(clientOf(source).queue('jobs'), numbered('jobs', 40))
        const start = performance.now()
        assert.equal((await imported(importing('--dry-run', '--rate', '80'))).summary.messages, 40)
        assert.ok(performance.now() - start >= 450, 'it was faster')
        assert.equal(existsSync(join(folder, 'state')), false)
        assert.deepEqual(await Array.fromAsync(clientOf(destination).queues()), [])
        await imported(importing())
        assert.equal((await imported(importing('--dry-run'))).summary.messages, 0)
        assert.equal(statSync(join(folder, 'state')).mode & 0o777, 0o600)
      })

      test('goes through the projects of a list, and the queues that are named', async () => {
        const names = [`${project}-x`, `${project}-y`]
        for (const name of names)
          await fill(new Zaqar({ url: source.url, project: name }).queue('jobs'), numbered('jobs', 3))
        await fill(new Zaqar({ url: source.url, project: names[0] as string }).queue('other'), numbered('other', 3))
        writeFileSync(join(folder, 'projects'), `${names.join('\n')}\n`)
        const flags = ['--projects-file', join(folder, 'projects'), '--queue', 'jobs']
        assert.deepEqual(
          (await imported(importing(...flags))).lines.map(({ queue, seen }) => [queue, seen]),
          [
            ['jobs', 0],
            ['jobs', 3],
            ['jobs', 3],
          ],
        )
        const queues = await Array.fromAsync(new Zaqar({ url: destination.url, project: names[0] as string }).queues())
        assert.deepEqual(
          queues.map(({ name }) => name),
          ['jobs'],
        )
      })
    })

    describe('an import is refused', () => {
      const refused = async (argv: readonly string[]) => {
        const { code, stderr } = await runHere(argv)
        return [code, stderr]
      }

      test('when its state is of another one, or no state', async () => {
        await imported(importing())
        const [code, stderr] = await refused(importing('--to', destination.url.replace('127.0.0.1', 'localhost')))
        assert.equal(code, 1)
        assert.match(
          stderr as string,
          /state is for an import from http:\S+ to http:\S+: name another file by --state\n$/,
        )
        writeFileSync(join(folder, 'notes'), 'something else, which is long enough to look like a head of a file')
        assert.match(
          (await refused(importing('--state', join(folder, 'notes'))))[1] as string,
          /notes: file is not a database/,
        )
      })

      test('for a queue that holds messages which it has not brought', async () => {
        await fill(clientOf(source).queue('jobs'), numbered('jobs', 3))
        await fill(clientOf(source).queue('other'), numbered('other', 3))
        await fill(clientOf(destination).queue('jobs'), numbered('jobs', 1))
        const { of } = await imported(importing(), { code: 1 })
        assert.match(of('jobs').problems[0] as string, /^jobs holds messages at the destination/)
        assert.equal(of('other').ok, true)
        assert.equal((await bodiesOf(clientOf(destination).queue('jobs'))).length, 1)
      })

      test('for a message that the destination does not take, by its name', async () => {
        const { id } = { id: await clientOf(source).queue('jobs').post('x'.repeat(200)) }
        await clientOf(destination).queue('jobs').create({ _max_messages_post_size: 100 })
        const { of } = await imported(importing(), { code: 1 })
        assert.match(of('jobs').problems[0] as string, new RegExp(`^message ${id} of the source: .*100`))
        // What stands in the way has gone: it goes on.
        await clientOf(destination)
          .queue('jobs')
          .update([{ op: 'remove', path: '/metadata/_max_messages_post_size' }])
        assert.equal((await imported(importing())).of('jobs').ok, true)
      })

      test('when its command line does not say enough', async () => {
        assert.deepEqual(await refused(['import', '--to', 'http://x', '--project', 'p']), [
          2,
          'zaqar: the source is missing: name it by --from or --from-cloud\n',
        ])
        assert.deepEqual(await refused(['import', '--from', 'http://x', '--to', 'http://y']), [
          2,
          'zaqar: no project is named: give --project or --projects-file\n',
        ])
        assert.deepEqual(await refused(importing('--to', source.url)), [1, `zaqar: both sides are ${source.url}\n`])
      })

      test('when a side does not answer: that is for another try', async () => {
        for (const side of ['--from', '--to']) {
          assert.equal((await runHere(importing(side, 'http://127.0.0.1:1'))).code, 75)
        }
      })
    })
  })
}

describe('from an OpenStack service queues come over, with what it has of topics:', () => {
  before(async () => {
    destination = await startService()
  })
  after(() => destination.stop())

  const upstreams = [
    { storage: 'a release without topics', list: 404, below: 404, topics: [], says: 'the source knows no topics' },
    { storage: 'Redis', list: 503, below: 500, topics: [], says: 'the source knows no topics' },
    { storage: 'MongoDB', below: 500, topics: ['news'], says: 'the source shows only the metadata of topics' },
  ]
  for (const { storage, list = null, below, topics, says } of upstreams) {
    test(storage, async () => {
      const statusOf = (path: string) =>
        /^\/v2\/topics\/[^/]+\/(messages|subscriptions)/.test(path)
          ? below
          : path.startsWith('/v2/topics')
            ? list
            : null
      const proxy = await startCuttingProxy(source.url, { statusOf })
      try {
        await fill(clientOf(source).queue('news'), ['a'])
        await clientOf(source).topic('news').create({ team: 'press' })
        const { code, stdout } = await runHere(importing('--from', proxy.url))
        assert.equal(code, 0)
        const what = `1 messages and 0 subscriptions of 1 queues and ${topics.length} topics`
        assert.ok(stdout.endsWith(`pass 1: ${what} are imported; ${says}; all are as at the source\n`), stdout)
        const there = await Array.fromAsync(clientOf(destination).topics({ detailed: true }))
        assert.deepEqual(
          there.map(({ name }) => name),
          topics,
        )
        assert.ok(there.every(({ metadata }) => metadata?.['team'] === 'press'))

        // The way back: what it cannot keep is named.
        const back = ['import', '--from', destination.url, '--to', proxy.url, '--project', project]
        await clientOf(destination).topic('alerts').post('new')
        const { ofTopic } = await imported([...back, '--state', join(folder, 'back'), '--topic', 'alerts'], { code: 1 })
        assert.deepEqual(ofTopic('alerts').problems, ['the destination keeps no messages of topics'])
      } finally {
        await proxy.close()
      }
    })
  }
})

test('pools and flavors come over, and queues are placed by them', async () => {
  const [from, to] = await Promise.all([startOnSqlite(3), startOnSqlite(2)])
  try {
    const old = operatorOf(from, project)
    for (const [n, name] of ['fast', 'old', 'left'].entries())
      await old.putPool(name, { uri: from.uris[n] as string, weight: n + 1 })
    await old.putFlavor('quick', ['fast'])
    await old.putFlavor('slow', ['left'])
    await old.queue('jobs').create({ _flavor: 'quick' })
    await fill(old.queue('jobs'), numbered('jobs', 50))
    await fill(old.queue('anywhere'), numbered('anywhere', 3))
    const addresses = join(folder, 'pools.json')
    writeFileSync(addresses, JSON.stringify({ fast: to.uris[0], old: to.uris[1] }))
    const argv = ['import', '--from', from.url, '--to', to.url, '--project', project, '--state', join(folder, 'state')]
    assert.partialDeepStrictEqual((await imported([...argv, '--pools', addresses, '--dry-run'])).summary, {
      pools: 2,
      flavors: 1,
    })
    const there = operatorOf(to, project)
    assert.deepEqual(await Array.fromAsync(there.pools()), [])
    const { summary } = await imported([...argv, '--pools', addresses])
    assert.partialDeepStrictEqual(summary, { pools: 2, flavors: 1, queues: 2, messages: 53, wrong: 0 })
    assert.deepEqual(
      (await Array.fromAsync(there.pools())).map(({ name, uri, weight }) => [name, uri, weight]),
      [
        ['fast', to.uris[0], 1],
        ['old', to.uris[1], 2],
      ],
    )
    assert.deepEqual((await there.flavor('quick'))?.pool_list, ['fast'])
    assert.equal(await there.flavor('slow'), null)
    assert.equal((await there.queue('jobs').metadata())['_flavor'], 'quick')
    assert.deepEqual(await bodiesOf(there.queue('jobs')), numbered('jobs', 50))
    // Pools that are there stay as they are.
    assert.partialDeepStrictEqual((await imported([...argv, '--pools', addresses])).summary, { pools: 0, flavors: 0 })
  } finally {
    await from.stop()
    await to.stop()
  }
})
