import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { startOnSqlite } from '../support/pooled-service.ts'
import { type Service, startService } from '../support/service.ts'
import { type Given, runHere } from './run-here.ts'

const folder = mkdtempSync(join(tmpdir(), 'zaqar-client-commands-'))
let service: Service

before(async () => {
  service = await startService()
})

after(async () => {
  await service.stop()
  rmSync(folder, { recursive: true })
})

function ask(argv: readonly string[], given: Given = {}) {
  return runHere(argv, { ...given, env: { ZAQAR_URL: service.url, ...given.env } })
}

/** What a command that succeeds prints. */
async function done(argv: readonly string[], given: Given = {}): Promise<string> {
  const { code, stdout, stderr } = await ask(argv, given)
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
  return stdout
}

async function json(...argv: readonly string[]) {
  return JSON.parse(await done([...argv, '--json']))
}

describe('queues', () => {
  test('are created once, shown, changed, listed and deleted', async () => {
    assert.equal(
      await done(['queue', 'create', 'made', 'team=billing', '_default_message_ttl=600']),
      'queue made is created\n',
    )
    assert.deepEqual(await json('queue', 'create', 'made'), { name: 'made', created: false })
    assert.partialDeepStrictEqual(await json('queue', 'show', 'made'), { team: 'billing', _default_message_ttl: 600 })
    assert.partialDeepStrictEqual(await json('queue', 'set', 'made', 'team=red', 'list=[1, "a"]'), {
      team: 'red',
      list: [1, 'a'],
    })
    assert.equal('list' in (await json('queue', 'unset', 'made', 'list')), false)
    assert.equal(await done(['queue', 'list', '--metadata', 'team=red']), 'NAME\nmade\n')
    assert.deepEqual(await json('queue', 'delete', 'made', 'never-there'), { deleted: ['made', 'never-there'] })
    assert.deepEqual(await json('queue', 'list', '--name', 'made'), [])
  })

  test('give back dead letters', async () => {
    await done(['queue', 'create', 'work', '_max_claim_count=1', '_dead_letter_queue=dead'])
    await done(['message', 'post', 'work', 'a'])
    const { id } = await json('claim', 'create', 'work')
    await done(['claim', 'release', 'work', id])
    assert.equal((await ask(['claim', 'create', 'work'])).code, 3)
    assert.deepEqual(await json('queue', 'redrive', 'dead'), { moved: 1, queues: { work: 1 } })
    assert.equal((await json('queue', 'stats', 'work')).total, 1)
    await done(['queue', 'purge', 'work', '--messages'])
    assert.equal((await json('queue', 'stats', 'work')).total, 0)
  })
})

describe('messages', () => {
  test('have bodies of JSON or else text, in the order of the command line', async () => {
    const { ids } = await json('message', 'post', 'bodies', '{"price": 1.10}', 'hello', '5', '--ttl', '300')
    const listed = await done(['message', 'list', 'bodies', '--json'])
    assert.ok(listed.includes('"price":1.10'), 'numbers stay as they were written')
    assert.deepEqual(
      JSON.parse(listed).map((message: { id: string; body: unknown }) => [message.id, message.body]),
      [
        [ids[0], { price: 1.1 }],
        [ids[1], 'hello'],
        [ids[2], 5],
      ],
    )
    await done(['message', 'post', 'bodies', '--text', '5'])
    assert.equal((await json('message', 'list', 'bodies', '--from', ids[2]))[0].body, '5')
    assert.equal((await json('message', 'show', 'bodies', ids[1])).body, 'hello')
    await done(['message', 'delete', 'bodies', ids[1]])
    const missing = await ask(['message', 'show', 'bodies', ids[1]])
    assert.deepEqual([missing.code, missing.stderr], [3, `zaqar: there is no message ${ids[1]} in bodies\n`])
    assert.deepEqual(
      (await json('message', 'pop', 'bodies', '--count', '5')).map(({ body }: { body: unknown }) => body),
      [{ price: 1.1 }, 5, '5'],
    )
    assert.equal((await ask(['message', 'pop', 'bodies'])).code, 3)
  })

  test('come from standard input, a file, or its lines', async () => {
    await done(['message', 'post', 'files'], { stdin: 'from here\n' })
    const file = join(folder, 'body.json')
    writeFileSync(file, '{\n  "a": 1\n}\n')
    await done(['message', 'post', 'files', '--file', file])
    const lines = Array.from({ length: 250 }, (_, n) => `{"n": ${n}}\n`).join('\n')
    assert.deepEqual(
      JSON.parse(await done(['message', 'post', 'files', '--lines', '-', '--skip', '1', '--json'], { stdin: lines })),
      { posted: 249 },
    )
    const bodies = (await json('message', 'list', 'files')).map(({ body }: { body: unknown }) => body)
    assert.deepEqual(bodies.slice(0, 3), ['from here', { a: 1 }, { n: 1 }])
    assert.deepEqual([bodies.length, bodies.at(-1)], [251, { n: 249 }])
  })

  test('of a file with a fault say where it is, and how to go on', async () => {
    const lines = '1\n2\n{broken\n'
    const { code, stderr } = await ask(['message', 'post', 'faulty', '--lines', '-', '--batch', '2'], { stdin: lines })
    assert.equal(code, 1)
    assert.match(stderr, /^zaqar: 2 lines are posted; --skip 2 goes on behind them\n.*line 3: It begins as JSON/)
  })

  test('that begin as JSON and are none are refused, and posted as text where that is asked for', async () => {
    for (const given of [['{bad'], ['fine', '[1,']]) {
      const { code, stdout, stderr } = await ask(['message', 'post', 'broken', ...given])
      assert.deepEqual([code, stdout], [2, ''])
      assert.match(stderr, /^zaqar: It begins as JSON, but is none: .+; with --text it is posted as it is\n$/)
    }
    assert.deepEqual(await json('message', 'list', 'broken'), [])
    await done(['message', 'post', 'broken', '--text', '{bad'])
    assert.equal((await json('message', 'list', 'broken'))[0].body, '{bad')
  })

  test('of a file that is not there are refused in plain words', async () => {
    const missing = join(folder, 'missing')
    for (const flag of ['--file', '--lines']) {
      const { code, stderr } = await ask(['message', 'post', 'files', flag, missing])
      assert.deepEqual([code, stderr], [1, `zaqar: ${missing}: there is no such file or folder\n`])
    }
  })

  test('cannot do anything to a terminal, and fit it', async () => {
    await done(['message', 'post', 'hostile', '--text', '\u001b]0;owned\u0007\u009b31m\u202e'])
    const stdout = await done(['message', 'list', 'hostile'], { columns: 60, env: { NO_COLOR: '1' } })
    assert.match(stdout, /^[\x20-\x7e\n…]+$/)
    for (const line of stdout.split('\n')) assert.ok(line.length <= 60, line)
    assert.ok((await done(['message', 'list', 'hostile'], { columns: 60 })).startsWith('\u001b[1mID'))
  })
})

test('claims are made, shown, renewed and released', async () => {
  await done(['message', 'post', 'claimed', 'a', 'b'])
  const { id, messages } = await json('claim', 'create', 'claimed', '--limit', '1', '--ttl', '300')
  assert.equal(messages[0].body, 'a')
  assert.equal((await json('claim', 'show', 'claimed', id)).messages.length, 1)
  const [listed] = await json('claim', 'list', 'claimed')
  assert.deepEqual([listed.id, listed.messages, listed.ttl], [id, 1, 300])
  const table = await done(['claim', 'list', 'claimed', '--limit', '1'])
  assert.match(table, /^ID +HELD BY +MESSAGES +AGE +ENDS IN\n/)
  assert.ok(table.includes(listed.client_id), table)
  await done(['claim', 'renew', 'claimed', id, '--ttl', '600'])
  const held = await ask(['message', 'delete', 'claimed', messages[0].id])
  assert.equal(held.code, 77)
  await done(['message', 'delete', 'claimed', messages[0].id, '--claim', id])
  await done(['claim', 'release', 'claimed', id])
  assert.equal((await ask(['claim', 'show', 'claimed', id])).code, 3)
})

test('subscriptions are made, shown, changed, confirmed and ended', async () => {
  await done(['queue', 'create', 'told'])
  const { id } = await json('subscription', 'create', 'told', 'https://example.org/hook', '--ttl', '300')
  await done(['subscription', 'set', 'told', id, '--ttl', '600'])
  assert.partialDeepStrictEqual(await json('subscription', 'show', 'told', id), { ttl: 600 })
  await done(['subscription', 'confirm', 'told', id])
  assert.match(await done(['subscription', 'list', 'told']), /https:\/\/example\.org\/hook +yes/)
  assert.deepEqual(await json('subscription', 'deliveries', 'told', id), [])
  assert.deepEqual(await json('subscription', 'failures', 'told', id), [])
  assert.deepEqual(await json('subscription', 'replay', 'told', id), { replayed: 0 })
  assert.match((await json('subscription', 'rotate-secret', 'told', id)).secret, /^whsec_/)
  await done(['subscription', 'delete-secret', 'told', id])
  await done(['subscription', 'delete', 'told', id])
  assert.equal((await ask(['subscription', 'show', 'told', id])).code, 3)
})

test('topics have messages, too', async () => {
  await done(['topic', 'create', 'news'])
  await done(['message', 'post', 'news', 'hello', '--topic'])
  assert.deepEqual((await json('message', 'list', 'news', '--topic'))[0].body, 'hello')
  assert.equal((await json('topic', 'stats', 'news')).total, 1)
  assert.equal(await done(['topic', 'list']), 'NAME\nnews\n')
  await done(['topic', 'delete', 'news'])
})

test('pools and flavors are managed, and passwords are kept off the command line', async () => {
  const uri = `sqlite:${join(service.dataDir, 'pool.db')}`
  await done(['pool', 'create', 'fast', '--uri', uri, '--weight', '10'])
  assert.partialDeepStrictEqual(await json('pool', 'set', 'fast', '--weight', '20'), { weight: 20 })
  await done(['flavor', 'create', 'quick', 'fast'])
  assert.partialDeepStrictEqual(await json('flavor', 'show', 'quick'), { pool_list: ['fast'] })
  assert.match(await done(['pool', 'list']), /^fast +20 +quick +sqlite:/m)
  await done(['flavor', 'delete', 'quick'])
  await done(['pool', 'delete', 'fast'])
  assert.equal((await ask(['pool', 'show', 'fast'])).code, 3)
  const refused = await ask(['pool', 'create', 'p', '--uri', 'postgres://z:hunter2@db/z', '--weight', '1'])
  assert.equal(refused.code, 2)
  assert.doesNotMatch(refused.stderr, /hunter2/)
})

describe('tail', () => {
  const linesOf = (output: string) => output.trim().split('\n')

  test('shows what is there and what comes, as it was written, and goes on where it ended', async () => {
    await done(['message', 'post', 'stream', '{"order": 9007199254740993, "price": 1.10}'])
    const tail = done(['tail', 'stream', '--from', 'start', '--count', '2', '--json'])
    await done(['message', 'post', 'stream', 'second', 'third'])
    const lines = linesOf(await tail)
    assert.match(lines[0] ?? '', /"body":\{"order":9007199254740993,"price":1.10\}/)
    const messages = lines.map((line) => JSON.parse(line))
    assert.equal(messages[1].body, 'second')
    for (const from of [messages[1].id, messages[1].marker]) {
      const next = await done(['tail', 'stream', '--from', from, '--count', '1'])
      assert.match(next, /^\w+ {2}"third"\n$/)
    }
  })

  test('shows what is posted from now on where nothing else is asked for', async () => {
    await done(['message', 'post', 'live', 'before'])
    let isDone = false
    const tail = done(['tail', 'live', '--count', '1', '--json']).finally(() => {
      isDone = true
    })
    // It begins at some time.
    while (!isDone) await Promise.race([tail, done(['message', 'post', 'live', 'after'])])
    assert.equal(JSON.parse(await tail).body, 'after')
  })

  test('shows those of a topic', async () => {
    await done(['message', 'post', 'news', 'a', '--topic'])
    assert.match(await done(['tail', 'news', '--topic', '--from', 'start', '--count', '1']), /"a"$/m)
  })

  test('ends with an error where going on has no sense', async () => {
    const { code, stdout, stderr } = await ask(['tail', 'q'.repeat(65)])
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, /^zaqar: Invalid queue identification: .+\n$/)
  })

  test('ends with an error where the address is that of something else', async () => {
    const { code, stdout, stderr } = await ask(['tail', 'stream', '--url', `${service.url}/elsewhere`])
    assert.deepEqual([code, stdout], [3, ''])
    assert.match(stderr, /^zaqar: the service has nothing at this address .+\n$/)
  })
})

test('a signed URL lets in who has its file, for what it lists', async () => {
  const file = join(folder, 'signed.json')
  await done(['message', 'post', 'shared', 'a'])
  await done(['signed-url', 'create', 'shared', '--output', file])
  assert.equal(statSync(file).mode & 0o777, 0o600)
  const { signed } = JSON.parse(readFileSync(file, 'utf8'))
  const shown = await done(['signed-url', 'show', file])
  assert.match(shown, /^methods +\["GET"\]$/m)
  assert.ok(!shown.includes(signed.signature))
  assert.ok((await done(['signed-url', 'show', file, '--secret'])).includes(signed.signature))
  const bySignature = (argv: readonly string[]) => runHere(['--signed-url', file, ...argv])
  assert.equal(JSON.parse((await bySignature(['message', 'list', 'shared', '--json'])).stdout)[0].body, 'a')
  // A signature that is not for this is answered as if nothing were there.
  const refused = await bySignature(['message', 'post', 'shared', 'b'])
  assert.equal(refused.code, 3)
  assert.match(refused.stderr, /^zaqar: the service has nothing at this address \(404 Not Found\): .*the signed URL\n$/)
  assert.equal((await ask(['signed-url', 'create', 'shared', '--output', file])).code, 1)
})

test('a signed URL is for methods that there are, however they are written', async () => {
  const file = join(folder, 'methods.json')
  await done(['signed-url', 'create', 'shared', '--output', file, '--method', 'post'])
  assert.deepEqual((await json('signed-url', 'show', file)).methods, ['POST'])
  await done(['--signed-url', file, 'message', 'post', 'shared', 'b'])
  const refused = await ask(['signed-url', 'create', 'shared', '--output', `${file}.2`, '--method', 'POTS'])
  assert.equal(refused.code, 2)
  assert.match(refused.stderr, /It must be one of GET, HEAD, POST/)
})

test('with a signed URL may go another, for answers', async () => {
  const file = join(folder, 'with-reply.json')
  const expires = '2100-01-31T12:00:00'
  const flags = ['--method', 'DELETE', '--expires', expires, '--reply', 'answers']
  await done(['signed-url', 'create', 'asked', '--output', file, ...flags])
  const { signed, reply } = JSON.parse(readFileSync(file, 'utf8'))
  assert.partialDeepStrictEqual(signed, { methods: ['DELETE'], paths: ['/v2/queues/asked/messages'], expires })
  assert.partialDeepStrictEqual(reply, {
    queue: 'answers',
    signed: { methods: ['POST'], paths: ['/v2/queues/answers/messages'], expires },
  })
  const shown = await done(['signed-url', 'show', file])
  assert.match(shown, /^reply +\{"queue":"answers",.*"methods":\["POST"\]/m)
  assert.ok(!shown.includes(reply.signed.signature))
  assert.ok((await done(['signed-url', 'show', file, '--secret'])).includes(reply.signed.signature))
})

test('the service is found and its health told', async () => {
  assert.equal(await done(['ping']), 'the service answers\n')
  assert.equal((await json('health')).storage_reachable, true)
  const away = await runHere(['ping', '--url', 'http://127.0.0.1:3'])
  assert.equal(away.code, 75)
  assert.match(away.stdout, /^the service at http:\/\/127\.0\.0\.1:3 does not answer/)
  const { code, stderr } = await runHere(['queue', 'list', '--url', 'http://127.0.0.1:3'])
  assert.equal(code, 75)
  assert.match(stderr, /ECONNREFUSED 127\.0\.0\.1:3/)
})

test('with pools the health of each is told', async () => {
  const pooled = await startOnSqlite(2)
  try {
    const asked = (...argv: readonly string[]) => runHere(['--url', pooled.url, ...argv])
    for (const [n, uri] of pooled.uris.entries())
      await asked('pool', 'create', `pool${n}`, '--uri', uri, '--weight', '1')
    const { code, stdout, stderr } = await asked('health')
    assert.deepEqual([code, stderr], [0, ''])
    assert.match(stdout, /^catalog_reachable +true$/m)
    assert.match(stdout, /^pool pool0 +create_queue [\d.]+ ms, .*delete_queue [\d.]+ ms$/m)
    assert.match(stdout, /^pool pool1 /m)
    assert.equal(JSON.parse((await asked('health', '--json')).stdout).pool1.storage_reachable, true)
  } finally {
    await pooled.stop()
  }
})

test('pools are drained and rebalanced, with a bar for who waits', async () => {
  const pooled = await startOnSqlite(2)
  try {
    const asked = async (argv: readonly string[], given: Given = {}, code = 0) => {
      const ended = await runHere(['--url', pooled.url, ...argv], given)
      assert.equal(ended.code, code, ended.stderr)
      return ended
    }
    const document = async (...argv: readonly string[]) => JSON.parse((await asked([...argv, '--json'])).stdout)
    const [first, second] = pooled.uris as [string, string]
    await asked(['pool', 'create', 'p0', '--uri', first, '--weight', '1'])
    for (const name of ['a', 'b', 'c', 'd']) await asked(['message', 'post', name, name])
    for (const none of [['drain', 'p0'], ['rebalance']]) {
      assert.match((await asked(['pool', ...none, '--status'], {}, 3)).stderr, /nobody has asked for a/)
    }
    const failed = await asked(['pool', 'drain', 'p0', '--wait', '--json'], {}, 1)
    assert.match(JSON.parse(failed.stdout).trouble, /^no other pool without a flavor can take the queue [a-d] /)
    assert.partialDeepStrictEqual(await document('pool', 'drain', 'p0', '--cancel'), { status: 'cancelled' })
    await asked(['pool', 'create', 'p1', '--uri', second, '--weight', '1'])
    assert.partialDeepStrictEqual(await document('pool', 'rebalance', '--wait'), { status: 'done', queues_moved: 2 })
    const drained = await asked(['pool', 'drain', 'p0', '--wait', '--rate', '1000'], { columns: 80 })
    assert.match(drained.stderr, /queues have gone/)
    assert.match(drained.stdout, /^.*status.* +done$/m)
    assert.partialDeepStrictEqual(await document('pool', 'drain', 'p0', '--status'), { status: 'done', rate: 1000 })
    await asked(['pool', 'delete', 'p0'])
    for (const wrong of [
      ['--status', '--cancel'],
      ['--rate', '5', '--cancel'],
      ['--rate', '0'],
    ]) {
      await asked(['pool', 'drain', 'p1', ...wrong], {}, 2)
    }
  } finally {
    await pooled.stop()
  }
})

describe('a flag before the command', () => {
  test('is heeded by every command that has it', async () => {
    assert.equal(await done(['--project', 'flagged', 'queue', 'create', 'own']), 'queue own is created\n')
    assert.equal(JSON.parse(await done(['--json', 'queue', 'list', '--project', 'flagged']))[0].name, 'own')
    assert.ok('sources' in JSON.parse(await done(['--json', 'config', 'check'])))
    const elsewhere = await ask(['--os-cloud', 'nowhere', 'keystone', 'register', '--public-url', 'http://a'])
    assert.match(elsewhere.stderr, /cloud nowhere/)
  })

  test('is refused by a command that would not heed it', async () => {
    for (const flags of [
      ['--url', service.url, 'config', 'check'],
      ['--project', 'a', 'import', '--project', 'b'],
      ['--json', 'completion', 'bash'],
    ]) {
      const { code, stdout, stderr } = await ask(flags)
      assert.deepEqual([code, stdout], [2, ''])
      assert.match(stderr, /^zaqar: --\w+ before the command is for those that ask a service, .+--help\n$/)
    }
  })
})

test('projects do not see each other', async () => {
  await done(['queue', 'create', 'mine', '--project', 'one'])
  assert.deepEqual(await json('queue', 'list', '--project', 'one'), [{ name: 'mine', href: '/v2/queues/mine' }])
  assert.equal(await done(['queue', 'list', '--name', 'mine'], { env: { ZAQAR_PROJECT: 'two' } }), '')
})
