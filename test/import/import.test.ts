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
        const queues = ['a', 'b', 'c']
        // So many POSTs of messages that both kills meet one.
        for (const queue of queues) await fill(from, queue, numbered(queue, 80))
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
          for (const queue of queues)
            assert.deepEqual(await bodiesOf(clientOf(destination), queue), await bodiesOf(from, queue))
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
        await fill(clientOf(source), 'jobs', numbered('jobs', 30))
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
        assert.deepEqual(await bodiesOf(clientOf(destination), 'jobs'), await bodiesOf(clientOf(source), 'jobs'))
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

      test('from version 1.1 is the same, without what that cannot show', async () => {
        await clientOf(source).queue('jobs').create({ team: 'billing', _max_claim_count: 3 })
        await fill(clientOf(source), 'jobs', numbered('jobs', 45))
        await clientOf(source).queue('jobs').claim({ limit: 2 })
        await clientOf(source).queue('slow').create({ _default_message_delay: 300 })
        await clientOf(source).queue('slow').post('late')
        await clientOf(source).queue('secret').create({ _enable_encrypt_messages: false })
        const { summary, of } = await imported(importing('--from-version', '1.1'), { code: 1 })
        assert.deepEqual([summary.version, summary.messages], ['1.1', 45])
        assert.partialDeepStrictEqual(of('jobs'), { seen: 45, claimed: 2, ok: true })
        assert.partialDeepStrictEqual(of('slow'), { seen: 0, unlisted: 1, ok: false })
        assert.deepEqual(await bodiesOf(clientOf(destination), 'jobs'), await bodiesOf(clientOf(source), 'jobs'))
        assert.partialDeepStrictEqual(await clientOf(destination).queue('jobs').metadata(), {
          team: 'billing',
          _max_claim_count: 3,
        })
      })

      test('does nothing when it is to be tried only, and reads no faster than it may', async () => {
        await fill(clientOf(source), 'jobs', numbered('jobs', 40))
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
        for (const name of names) await fill(new Zaqar({ url: source.url, project: name }), 'jobs', numbered('jobs', 3))
        await fill(new Zaqar({ url: source.url, project: names[0] as string }), 'other', numbered('other', 3))
        writeFileSync(join(folder, 'projects'), `${names.join('\n')}\n`)
        const flags = ['--projects-file', join(folder, 'projects'), '--queue', 'jobs']
        assert.deepEqual(
          (await imported(importing(...flags))).queues.map(({ queue, seen }) => [queue, seen]),
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
        await fill(clientOf(source), 'jobs', numbered('jobs', 3))
        await fill(clientOf(source), 'other', numbered('other', 3))
        await fill(clientOf(destination), 'jobs', numbered('jobs', 1))
        const { of } = await imported(importing(), { code: 1 })
        assert.match(of('jobs').problems[0] as string, /^jobs holds messages at the destination/)
        assert.equal(of('other').ok, true)
        assert.equal((await bodiesOf(clientOf(destination), 'jobs')).length, 1)
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

test('pools and flavors come over, and queues are placed by them', async () => {
  const [from, to] = await Promise.all([startOnSqlite(3), startOnSqlite(2)])
  try {
    const old = operatorOf(from, project)
    for (const [n, name] of ['fast', 'old', 'left'].entries())
      await old.putPool(name, { uri: from.uris[n] as string, weight: n + 1 })
    await old.putFlavor('quick', ['fast'])
    await old.putFlavor('slow', ['left'])
    await old.queue('jobs').create({ _flavor: 'quick' })
    await fill(old, 'jobs', numbered('jobs', 50))
    await fill(old, 'anywhere', numbered('anywhere', 3))
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
    assert.deepEqual(await bodiesOf(there, 'jobs'), numbered('jobs', 50))
    // Pools that are there stay as they are.
    assert.partialDeepStrictEqual((await imported([...argv, '--pools', addresses])).summary, { pools: 0, flavors: 0 })
  } finally {
    await from.stop()
    await to.stop()
  }
})
