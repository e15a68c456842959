import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Message, type Queue, Zaqar } from 'zaqar-client/http'
import { until } from '../../packages/server/test/support/until.ts'
import { type Service, startService } from '../support/service.ts'
import { type Agent, type FileTerms, killAgents, startAgent, WAYS, writeSignedUrlFile } from './agent-process.ts'
import { openGate } from './gate.ts'

let service: Service
let zaqar: Zaqar
const root = mkdtempSync(join(tmpdir(), 'zaqar-agent-'))
/** Tests have queues and folders of their own. */
let count = 0

before(async () => {
  service = await startService()
  zaqar = new Zaqar({ url: service.url, project: 'demo' })
})

after(async () => {
  killAgents()
  await service.stop()
  rmSync(root, { recursive: true })
})

/** What a test has: its queues, a folder for its commands, and agents of its own. */
function setUp() {
  count += 1
  const [jobs, answers] = [`jobs-${count}`, `answers-${count}`]
  const folder = mkdtempSync(join(root, 'guest-'))
  return {
    folder,
    jobs: zaqar.queue(jobs),
    answers: zaqar.queue(answers),
    share: (terms: Partial<FileTerms>) =>
      writeSignedUrlFile(zaqar, folder, { queue: jobs, reply: answers, url: service.url, ...terms }),
    start: (file: string, command: string, ...flags: string[]): Agent =>
      startAgent(['--signed-url', file, '--exec', command, '--state', join(folder, 'state'), ...flags], folder),
    /** All outcomes, once there are so many. */
    async outcomes(count: number): Promise<Record<string, unknown>[]> {
      let found: Message<Record<string, unknown>>[] = []
      await until(async () => {
        found = await Array.fromAsync(zaqar.queue(answers).messages<Record<string, unknown>>({ limit: 20 }))
        return found.length >= count
      }, `there are not ${count} outcomes`)
      return found.map(({ body }) => body)
    },
  }
}

/** Ends it as a service manager would. */
async function end(agent: Agent): Promise<void> {
  agent.signal('SIGTERM')
  assert.equal(await agent.ended, 0, agent.log())
}

const HOSTILE = `'; touch pwned; "$(touch pwned)" \`touch pwned\` \\\n$SECRET_OF_AGENT {"signature": 1}`

for (const way of ['claims', 'pop', 'follow'] as const) {
  describe(`an agent that may do what ${way} needs`, { concurrency: 3 }, () => {
    test('runs the command for each message, and posts what became of it', async () => {
      const { jobs, folder, share, start, outcomes } = setUp()
      const ids = await jobs.postAll([{ body: { order: 1 } }, { body: HOSTILE, ttl: 300 }, { body: null }])
      const file = await share(WAYS[way])
      const agent = start(file, 'cat; echo; echo "trouble $ZAQAR_BODY" >&2; env | sort > "$ZAQAR_MESSAGE_ID"; exit 3')
      const found = await outcomes(3)
      assert.deepEqual(
        found.map(({ message_id, stdout, stderr, exit_code }) => [message_id, stdout, stderr, exit_code]),
        [
          [ids[0], '{"order":1}\n', 'trouble json\n', 3],
          [ids[1], `${HOSTILE}\n`, 'trouble text\n', 3],
          [ids[2], 'null\n', 'trouble json\n', 3],
        ],
      )
      const { queue, signal, timed_out, stdout_truncated, attempt } = found[1] ?? {}
      assert.deepEqual([queue, signal, timed_out, stdout_truncated, attempt], [jobs.name, null, false, false, 1])
      assert.equal(existsSync(join(folder, 'pwned')), false)
      const env = readFileSync(join(folder, ids[1] as string), 'utf8')
      assert.match(env, RegExp(`^ZAQAR_QUEUE=${jobs.name}$`, 'm'))
      assert.match(env, /^ZAQAR_TTL=300$/m)
      assert.equal(/^ZAQAR_CLAIM_ID=\w+$/m.test(env), way === 'claims')
      await end(agent)
      const { signed } = JSON.parse(readFileSync(file, 'utf8'))
      for (const text of [env, agent.log()]) {
        assert.doesNotMatch(text, RegExp(`${signed.signature}|${file}.*signature`))
      }
      assert.doesNotMatch(agent.log(), /order|touch/)
      assert.equal((await jobs.stats()).total, way === 'follow' ? 3 : 0)
    })

    test('tries again what has ended with 75', async () => {
      const { jobs, share, start, outcomes } = setUp()
      const id = await jobs.post('a')
      const agent = start(await share(WAYS[way]), '[ -e failed ] || { touch failed; exit 75; }; echo "$ZAQAR_ATTEMPT"')
      const [outcome] = await outcomes(1)
      assert.partialDeepStrictEqual(outcome, { message_id: id, exit_code: 0, stdout: '2\n', attempt: 2 })
      await end(agent)
    })

    test('lets what runs come to its end when it is told to end, and takes nothing more', async () => {
      const { jobs, folder, share, start, outcomes } = setUp()
      const [first] = await jobs.postAll([{ body: 'a' }, { body: 'b' }])
      const agent = start(await share(WAYS[way]), 'touch begun; until [ -e go ]; do sleep 0.05; done; echo done')
      await until(() => existsSync(join(folder, 'begun')))
      agent.signal('SIGTERM')
      await agent.logs('nothing more is taken')
      writeFileSync(join(folder, 'go'), '')
      assert.equal(await agent.ended, 0)
      const found = await outcomes(1)
      assert.deepEqual(
        found.map(({ message_id, stdout }) => [message_id, stdout]),
        [[first, 'done\n']],
      )
      assert.equal((await jobs.stats()).free, way === 'follow' ? 2 : 1)
    })
  })
}

describe('an agent that claims', { concurrency: 3 }, () => {
  test('gives back what does not come to its end in time', async () => {
    const { jobs, share, start } = setUp()
    await jobs.post('a')
    const agent = start(await share(WAYS.claims), 'echo >&2; sleep 300', '--closing', '0')
    await until(async () => (await jobs.stats()).claimed === 1)
    await end(agent)
    assert.match(agent.log(), /: given back\n/)
    assert.equal((await jobs.stats()).free, 1)
  })

  test('posts one outcome, even if it was killed before it could delete the message', async () => {
    const { jobs, answers, share, start, outcomes } = setUp()
    const id = await jobs.post('a')
    const gate = await openGate(service.port)
    const file = await share({ ...WAYS.claims, url: gate.url })
    const posted = gate.holdAnswer(
      ({ method, url }) => method === 'POST' && url?.includes(`/${answers.name}/`) === true,
    )
    const agent = start(file, 'echo first')
    await posted
    agent.signal('SIGKILL')
    assert.equal(await agent.ended, 'SIGKILL')
    await releaseAll(jobs)
    const second = start(file, 'echo second')
    await second.logs(`message ${id}: an earlier outcome was posted, which counts`)
    await until(async () => (await jobs.stats()).total === 0)
    await end(second)
    gate.close()
    assert.deepEqual(
      (await outcomes(1)).map(({ stdout }) => stdout),
      ['first\n'],
    )
  })
})

describe('an agent that can only read', { concurrency: 3 }, () => {
  test('goes on behind what is done when it was killed, however many run at a time', async () => {
    const { jobs, folder, share, start, outcomes } = setUp()
    await jobs.postAll(['1', '2', 'slow', '4'].map((body) => ({ body })))
    const file = await share(WAYS.follow)
    const command = 'read -r word; echo "$word" >> begun; [ "$word" != slow ] || [ -e go ] || sleep 300; echo "$word"'
    const agent = start(file, command, '--concurrency', '2')
    await outcomes(3)
    agent.signal('SIGKILL')
    await agent.ended
    writeFileSync(join(folder, 'go'), '')
    const second = start(file, command)
    await jobs.post('5')
    const found = await outcomes(5)
    await end(second)
    assert.deepEqual(
      found.map(({ stdout }) => stdout),
      ['1\n', '2\n', '4\n', 'slow\n', '5\n'],
    )
    assert.deepEqual(readFileSync(join(folder, 'begun'), 'utf8').split('\n').filter(Boolean).sort(), [
      '1',
      '2',
      '4',
      '4',
      '5',
      'slow',
      'slow',
    ])
  })

  test('has outcomes of its own beside others, and needs a file for how far it came', async () => {
    const { jobs, folder, share, start, outcomes } = setUp()
    const id = await jobs.post('a')
    const file = await share(WAYS.follow)
    const agents = ['one', 'other'].map((name) => start(file, `echo ${name}`, '--state', join(folder, name)))
    const found = await outcomes(2)
    assert.deepEqual(found.map(({ message_id, stdout }) => [message_id, stdout]).sort(), [
      [id, 'one\n'],
      [id, 'other\n'],
    ])
    await Promise.all(agents.map(end))
    const without = startAgent(['--signed-url', file, '--exec', 'true'], folder)
    assert.equal(await without.ended, 1)
    assert.match(
      without.log(),
      /^zaqar: --state FILE is missing: .* do not allow POST on claims, .* and DELETE on messages,/,
    )
  })
})

describe('an agent', { concurrency: 3 }, () => {
  test('ends at once and kills all when it is told to end twice', async () => {
    const { jobs, folder, share, start } = setUp()
    await jobs.post('a')
    const agent = start(await share(WAYS.pop), `trap '' TERM; sleep 300 & echo $! > pid; wait; wait`)
    const pid = () => (existsSync(join(folder, 'pid')) ? Number(readFileSync(join(folder, 'pid'), 'utf8')) : 0)
    await until(() => pid() !== 0)
    agent.signal('SIGTERM')
    await agent.logs('nothing more is taken')
    agent.signal('SIGTERM')
    assert.equal(await agent.ended, 143)
    await until(() => !isRunning(pid()))
  })

  test('posts the beginning and the end of a long output, and nothing of it where the reply queue takes less', async () => {
    const { jobs, answers, share, start, outcomes } = setUp()
    await answers.create({ _max_messages_post_size: 2_000 })
    const file = await share(WAYS.pop)
    const agent = start(file, `cat; head -c 100000 /dev/zero | tr '\\0' 3`)
    await jobs.post('a', { ttl: 300 })
    const [small] = await outcomes(1)
    assert.partialDeepStrictEqual(small, { stdout: '', stdout_truncated: true, exit_code: 0 })
    await answers.purge()
    await answers.update([{ op: 'remove', path: '/metadata/_max_messages_post_size' }])
    await jobs.post('b', { ttl: 300 })
    const [large] = await outcomes(1)
    assert.equal(large?.['stdout_truncated'], true)
    assert.match(String(large?.['stdout']), /^b3{8191}\n\[\.\.\. 83617 bytes \.\.\.\]\n3{8192}$/)
    await end(agent)
  })

  test('without a reply queue only says what became of a message', async () => {
    const { jobs, share, start } = setUp()
    const id = await jobs.post('a')
    const agent = start(await share({ ...WAYS.pop, reply: '' }), 'exit 7')
    await agent.logs(`message ${id}: exit code 7 after `)
    assert.match(agent.log(), /; outcomes are only logged\n/)
    await end(agent)
  })

  test('ends with 77 shortly before its signed values do, and what runs is given back', async () => {
    const { jobs, share, start } = setUp()
    await jobs.post('a')
    const agent = start(await share({ ...WAYS.claims, expires: inSeconds(14) }), 'sleep 300')
    assert.equal(await agent.ended, 77)
    assert.match(agent.log(), /the signed values end in 0 minutes/)
    assert.match(agent.log(), /are not good any more: they end at \S+, and it is \S+ UTC by the clock of this machine/)
    assert.equal((await jobs.stats()).free, 1)
  })

  test('ends with 77 when the service does not accept its signed values', async () => {
    for (const way of ['claims', 'pop', 'follow'] as const) {
      const { share, start } = setUp()
      const file = await share(WAYS[way])
      const document = JSON.parse(readFileSync(file, 'utf8'))
      document.signed.signature = '0'.repeat(64)
      writeFileSync(file, JSON.stringify(document))
      const agent = start(file, 'true')
      assert.equal(await agent.ended, 77, agent.log())
    }
  })

  test('says what is wrong with its file', async () => {
    const { share, start } = setUp()
    const missing = start('missing.json', 'true')
    assert.equal(await missing.ended, 1)
    assert.equal(missing.log(), 'zaqar: missing.json: there is no such file\n')
    const nothing = start(await share({ methods: ['POST'], paths: ['messages'] }), 'true')
    assert.equal(await nothing.ended, 1)
    assert.match(
      nothing.log(),
      /^zaqar: the signed values for the queue \S+ must allow GET or DELETE on messages; they allow POST on /,
    )
    const open = await share(WAYS.pop)
    chmodSync(open, 0o644)
    const agent = start(open, 'true')
    await agent.logs(' are popped, ')
    assert.match(agent.log(), RegExp(`^zaqar: ${open} can be read by everybody on this machine: chmod 600 ${open}\n`))
    await end(agent)
  })
})

function inSeconds(seconds: number): string {
  return new Date(Date.now() + seconds * 1000).toISOString()
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** As if the claims had ended. */
async function releaseAll(queue: Queue): Promise<void> {
  const { messages } = await queue.list({ includeClaimed: true })
  for (const { href } of messages) {
    const claimId = new URL(href, service.url).searchParams.get('claim_id')
    if (claimId !== null) await queue.releaseClaim(claimId)
  }
}
