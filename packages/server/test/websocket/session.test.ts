/** What a session does with frames, whatever carries them: with actions whose end the test decides. */
import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { Type } from 'typebox'
import type { Call, Caller, Execute } from '../../src/core/execute.ts'
import { defineOperation } from '../../src/core/execute.ts'
import { type Identity, NOBODY } from '../../src/core/identity.ts'
import { ProjectSeats } from '../../src/core/project-seats.ts'
import type { Limits } from '../../src/core/rules/limits.ts'
import { type Peer, Session, type SessionHouse } from '../../src/websocket/session.ts'
import { socketDoor } from '../../src/wire/websocket/socket-door.ts'
import { settled } from '../support/settled.ts'
import { CALLER } from '../support/socket-client.ts'
import { unwatchedRequests } from '../support/unwatched.ts'

/** What is asked for, by the value that the body names; the test ends each. */
const asked = new Map<string, PromiseWithResolvers<string>>()

const act = defineOperation({
  name: 'test.act',
  permission: 'test',
  failure: 'It could not be done',
  run: (name: string) => {
    const deferred = Promise.withResolvers<string>()
    asked.set(name, deferred)
    return deferred.promise
  },
})

const door = (action: string, waits: boolean) =>
  socketDoor({
    action,
    operation: act,
    body: Type.Object({ name: Type.String(), list: Type.Optional(Type.Array(Type.Unknown())) }),
    target: () => ({ resource: { method: 'GET', path: '/v2' }, names: {} }),
    waits: () => waits,
    decode: ({ body }) => body['name'] as string,
    encode: (output, { body }) => {
      if (output === 'odd') throw new TypeError('it cannot be said')
      if (output === 'show') return { status: 200, body: JSON.stringify(body) }
      return { status: 200, body: JSON.stringify({ output }) }
    },
    describe: { summary: '', example: { body: {}, status: 200, answer: {} } },
  })

let sent: { request: { action: string | null }; body: unknown; headers: { status: number } }[]
let closed: number | null
let untaken: PromiseWithResolvers<void> | null
let calls: { caller: Caller; call: Call }[]
let troubles: unknown[]
let gone: number
let renewed: number
let session: Session

const peer: Peer = {
  id: 'c1',
  address: '192.0.2.1',
  get untaken() {
    return untaken === null ? 0 : 2 * 1024 * 1024
  },
  send: (payload) => void sent.push(JSON.parse(String(payload))),
  push() {},
  taken: async () => untaken?.promise,
  turned() {},
  accepted() {},
  answered() {},
  close(code) {
    closed ??= code
    session.over()
  },
}

const execute: Execute = (operation, read, caller, call) => {
  calls.push({ caller, call })
  return operation.run(read(), {} as never)
}

/** When it is judged who asks; null: at once. */
let judging: PromiseWithResolvers<Identity> | null = null

let house: SessionHouse = {
  authenticate: ({ asserted }) => judging?.promise ?? { ...NOBODY, project: asserted?.project ?? null },
  needsAuthentication: false,
  execute,
  doors: new Map([door('do', false), door('await', true)].map((one) => [one.action, one])),
  limits: {} as Limits,
  clientIds: { strict: true, minLength: 1, maxLength: 36 },
  seats: new ProjectSeats(2),
  maxRequests: 2,
  meter: unwatchedRequests(),
  aroundFrame: null,
  onTrouble: (error) => void troubles.push(error),
  pushes: {
    of: () => 0,
    renew() {
      renewed += 1
    },
    async gone() {
      gone += 1
    },
  },
}

beforeEach(() => {
  asked.clear()
  sent = []
  closed = null
  untaken = null
  calls = []
  troubles = []
  gone = 0
  renewed = 0
  judging = null
  house = { ...house, needsAuthentication: false, seats: new ProjectSeats(2) }
  session = new Session(peer, house)
})

function ask(action: string, name: string, more: object = {}): void {
  session.receive(Buffer.from(JSON.stringify({ action, headers: CALLER, body: { name, ...more } })), 'json')
}

async function end(name: string, output = name): Promise<void> {
  asked.get(name)?.resolve(output)
  await settled()
}

const outputs = () => sent.map(({ body }) => (body as { output?: string }).output ?? body)

describe('requests of a connection', () => {
  test('are served one after the other', async () => {
    for (const name of ['a', 'b', 'c']) ask('do', name)
    await settled()
    assert.deepEqual([...asked.keys()], ['a'])
    await end('a')
    assert.deepEqual([...asked.keys()], ['a', 'b'])
    await end('b')
    await end('c')
    assert.deepEqual(outputs(), ['a', 'b', 'c'])
  })

  test('do not wait for those that wait for something to come, which are answered when it has come', async () => {
    ask('await', 'first')
    ask('await', 'second')
    ask('do', 'a')
    await settled()
    await end('a')
    await end('second')
    await end('first')
    assert.deepEqual(outputs(), ['a', 'second', 'first'])
  })

  test('are refused where too many wait already, and only then', async () => {
    for (const name of ['1', '2', '3']) ask('await', name)
    await settled()
    assert.deepEqual([sent.length, sent[0]?.headers.status], [1, 503])
    await end('1')
    ask('await', '4')
    await settled()
    await end('4')
    assert.deepEqual(outputs().slice(1), ['1', '4'])
  })

  test('are refused where those that wait already are too long together', async () => {
    const more = { pad: 'x'.repeat(600_000) }
    ask('await', '1', more)
    ask('await', '2', more)
    ask('await', '3')
    await settled()
    assert.deepEqual([...asked.keys()], ['1', '3'])
    assert.equal(sent[0]?.headers.status, 503)
    await end('1')
    ask('await', '4', more)
    await settled()
    assert.ok(asked.has('4'))
  })

  test('that wait keep nothing of their lists, nor what no action knows', async () => {
    ask('await', 'w', { list: [{}, {}], unknown: [{}], text: 'x' })
    await settled()
    await end('w', 'show')
    assert.deepEqual(sent[0]?.body, { name: 'w' })
  })

  test('are not looked at while too much of what was sent is not taken', async () => {
    ask('do', 'a')
    ask('do', 'b')
    untaken = Promise.withResolvers()
    await end('a')
    assert.deepEqual([...asked.keys()], ['a'])
    const { resolve } = untaken
    untaken = null
    resolve()
    await settled()
    assert.deepEqual([...asked.keys()], ['a', 'b'])
  })

  test('have ids of their own, the address of the client, and a signal that says when the connection is gone', async () => {
    ask('await', 'a')
    ask('await', 'b')
    await settled()
    const [{ call: a } = assert.fail(), { call: b } = assert.fail()] = calls
    assert.notEqual(a.id, b.id)
    assert.equal(a.clientAddress?.(), '192.0.2.1')
    assert.equal(a.signal?.().aborted, false)
    session.over()
    assert.deepEqual([a.signal?.().aborted, b.signal?.().aborted, gone], [true, true, 1])
  })

  test('leave the event loop to others, however many came at once', async () => {
    for (let i = 0; i < 1_000; i++) session.receive(Buffer.from('nonsense'), 'json')
    await Promise.resolve()
    assert.ok(sent.length < 1_000, `${sent.length} were answered before anybody else had a turn`)
    while (sent.length < 1_000) await settled()
    assert.equal(sent.at(-1)?.headers.status, 400)
  })
})

describe('what goes wrong', () => {
  test('with an operation is answered, told to the operator, and the connection goes on', async () => {
    ask('do', 'a')
    await settled()
    asked.get('a')?.reject(new TypeError('a bug'))
    ask('do', 'b')
    await settled()
    await end('b')
    assert.deepEqual(
      sent.map(({ headers }) => headers.status),
      [500, 200],
    )
    assert.match(String(troubles), /a bug/)
    assert.ok(!JSON.stringify(sent).includes('a bug'), 'no client is told')
  })

  test('with an answer is answered as well', async () => {
    ask('do', 'a')
    await settled()
    await end('a', 'odd')
    assert.equal(sent[0]?.headers.status, 500)
    assert.match(String(troubles), /it cannot be said/)
  })
})

describe('a session that ends', () => {
  test('answers what has come, takes nothing more, and then closes with 1001', async () => {
    ask('await', 'w')
    ask('do', 'a')
    ask('do', 'b')
    await settled()
    session.end()
    ask('do', 'late')
    await end('a')
    await end('b')
    assert.equal(closed, null)
    await end('w')
    assert.deepEqual(outputs(), ['a', 'b', 'w'])
    assert.deepEqual([closed, gone], [1001, 1])
  })

  test('closes with 1013 where it may have missed messages, so that its client comes back', () => {
    session.onMissed()
    assert.deepEqual([closed, gone], [1013, 1])
  })

  test('closes at once where nothing is under way', async () => {
    session.end()
    await settled()
    assert.equal(closed, 1001)
  })

  test('closes when what it has sent is taken', async () => {
    untaken = Promise.withResolvers()
    session.end()
    await settled()
    assert.equal(closed, null)
    untaken.resolve()
    await settled()
    assert.equal(closed, 1001)
  })

  test('while it is judged who asks takes no seat, renews nothing and asks for nothing', async () => {
    judging = Promise.withResolvers()
    house = { ...house, needsAuthentication: true, seats: new ProjectSeats(1) }
    for (const frame of [
      { action: 'authenticate', headers: { 'X-Auth-Token': 't', 'X-Project-ID': 'p' } },
      { action: 'do', headers: { ...CALLER, 'URL-Signature': 's' }, body: { name: 'a' } },
    ]) {
      session = new Session(peer, house)
      session.receive(Buffer.from(JSON.stringify(frame)), 'json')
      await settled()
      session.over()
    }
    judging.resolve({ ...NOBODY, project: 'p' })
    await settled()
    assert.ok(house.seats.take('p'), 'the seat is free')
    assert.deepEqual([asked.size, renewed], [0, 0])
  })

  test('gives whoever asks for a signal only now one that has aborted', async () => {
    ask('await', 'a')
    await settled()
    const [{ call } = assert.fail()] = calls
    session.over()
    assert.equal(call.signal?.().aborted, true)
  })

  test('serves nothing more of what has come when the connection is gone', async () => {
    ask('do', 'a')
    ask('do', 'b')
    await settled()
    session.over()
    await end('a')
    assert.deepEqual([...asked.keys()], ['a'])
  })
})

test('a project has so many connections, and one more when another has gone', async () => {
  const sessions = [0, 1].map(() => new Session(peer, house))
  const frame = (name: string) => Buffer.from(JSON.stringify({ action: 'do', headers: CALLER, body: { name } }))
  for (const [i, one] of sessions.entries()) one.receive(frame(String(i)), 'json')
  ask('do', 'third')
  await settled()
  assert.deepEqual([...asked.keys(), closed], ['0', '1', 1008])
  sessions[0]?.over()
  session = new Session(peer, house)
  ask('do', 'fourth')
  await settled()
  assert.ok(asked.has('fourth'))
})
