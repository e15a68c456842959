/** The socket of the client against a service that does whatever a service should not. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, describe, mock, type TestContext, test } from 'node:test'
import { Packr } from 'msgpackr'
import { WebSocket as WsWebSocket } from 'ws'
import { Unavailable, Unreachable, Zaqar, ZaqarError, type ZaqarOptions } from '../src/index.ts'
import { answerTo, SocketService } from './support/socket-service.ts'

afterEach(() => mock.timers.reset())

function client(t: TestContext, service: SocketService, options: Partial<ZaqarOptions> = {}): Zaqar {
  const zaqar = new Zaqar({ url: service.url, project: 'demo', timeout: 5, ...options })
  t.after(() => zaqar.close())
  return zaqar
}

/** A client whose connection is open, and what is asked next has no answer yet. */
async function opened(t: TestContext, options: Partial<ZaqarOptions> = {}) {
  const service = await SocketService.start(t)
  const zaqar = client(t, service, options)
  await zaqar.socket.request('get_home_doc', {})
  service.act = () => {}
  return { service, zaqar }
}

/** The head of a text frame of 100 bytes, and the first of them. */
const CUT_FRAME = Buffer.concat([Buffer.from([0x81, 100]), Buffer.from('{"request": {"act')])

describe('an answer', () => {
  for (const [name, WebSocket] of [
    ['the WebSocket of Node', globalThis.WebSocket],
    ['that of `ws`', WsWebSocket as unknown as typeof globalThis.WebSocket],
  ] as const) {
    test(`finds its request, in whatever order it comes, over ${name}`, async (t) => {
      const { service, zaqar } = await opened(t, { WebSocket })
      const asked = ['queue_list', 'queue_list', 'topic_list'].map((action, i) => zaqar.socket.request(action, { i }))
      await service.asked('topic_list')
      const [, ...frames] = service.peer.frames
      service.peer.send(...frames.toReversed().map((frame) => answerTo(frame, 200, frame.body)))
      assert.deepEqual(await Promise.all(asked), [{ i: 0 }, { i: 1 }, { i: 2 }])
    })

    test(`finds its request by the order where the service repeats no ids, over ${name}`, async (t) => {
      const service = await SocketService.start(t)
      const zaqar = client(t, service, { WebSocket })
      service.act = () => {}
      const asked = [1, 2, 3].map((i) => zaqar.socket.request('queue_get', { i }))
      await service.asked('queue_get', 3)
      service.peer.send(
        ...service.peer.frames.map((frame) => ({ ...answerTo(frame, 200, frame.body), request_id: undefined })),
      )
      assert.deepEqual(await Promise.all(asked), [{ i: 1 }, { i: 2 }, { i: 3 }])
    })
  }

  test('that comes twice, or was not asked for, is nobody’s', async (t) => {
    const { service, zaqar } = await opened(t)
    service.act = (frame, peer) => {
      const unknown = { ...answerTo(frame), request_id: 4711 }
      const answer = answerTo(frame, 200, { n: frame.body.n })
      peer.send(unknown, answer, answer, { ...answer, request_id: 'text' })
    }
    assert.deepEqual(await zaqar.socket.request('queue_list', { n: 1 }), { n: 1 })
    assert.deepEqual(await zaqar.socket.request('queue_list', { n: 2 }), { n: 2 })
    assert.equal(service.peers.length, 1)
  })

  test('that comes too late is not taken for another one', async (t) => {
    const { service, zaqar } = await opened(t)
    await assert.rejects(zaqar.socket.request('queue_list', {}, { timeout: 0.02 }), { code: 'timeout' })
    const late = await service.asked('queue_list')
    service.act = (frame, peer) => peer.send(answerTo(late, 200, 'late'), answerTo(frame, 200, 'in time'))
    assert.equal(await zaqar.socket.request('queue_list', {}), 'in time')
  })

  test('that comes too late is not taken for another one where the service repeats no ids', async (t) => {
    const service = await SocketService.start(t)
    const zaqar = client(t, service)
    service.act = () => {}
    const impatience = new AbortController()
    const given = zaqar.socket.request('queue_list', { n: 1 }, { signal: impatience.signal })
    const late = await service.asked('queue_list')
    impatience.abort(new Error('enough'))
    await assert.rejects(given, { message: 'enough' })
    service.act = (frame, peer) => {
      const frames = peer === service.peers[0] ? [late, frame] : [frame]
      peer.send(...frames.map((one) => ({ ...answerTo(one, 200, one.body), request_id: undefined })))
    }
    assert.deepEqual(await zaqar.socket.request('queue_list', { n: 2 }), { n: 2 })
  })

  for (const text of ['{"request": {"act', '[', 'null', '{"request": {"action": "queue_list"}, "body": {}}']) {
    test(`that is ${text} ends the connection: something else is at the other end`, async (t) => {
      const { service, zaqar } = await opened(t)
      service.act = (_, peer) => peer.ws.send(text)
      await assert.rejects(zaqar.socket.request('queue_list', {}), { code: 'unexpected_answer' })
      service.act = (frame, peer) => peer.answer(frame, 200, 'back')
      assert.equal(await zaqar.socket.request('queue_list', {}), 'back')
      assert.equal(service.peers.length, 2)
    })
  }

  test('with an error is an error of the same kind as over HTTP', async (t) => {
    const { service, zaqar } = await opened(t)
    service.act = (frame, peer) => peer.answer(frame, 404, { error: 'Gone.', exception: 'No queue.' })
    await assert.rejects(zaqar.socket.request('queue_get', {}), { name: 'NotFound', status: 404, title: 'Gone.' })
    service.act = (frame, peer) => peer.answer(frame, 409, 'in a word')
    await assert.rejects(zaqar.socket.request('queue_get', {}), { name: 'Conflict', title: 'in a word' })
    service.act = (frame, peer) => peer.answer(frame, 500, null)
    await assert.rejects(zaqar.socket.request('queue_get', {}), { code: 'server_error', status: 500 })
  })
})

describe('when the connection breaks', () => {
  test('in the midst of a frame, what is safe is asked again, and nothing else', async (t) => {
    const { service, zaqar } = await opened(t)
    const { socket } = zaqar
    const asked = Promise.allSettled([
      socket.request('queue_list', { n: 1 }),
      socket.request('message_post', { n: 2 }),
      socket.request('message_post', { n: 3, idempotency_key: 'k' }),
      socket.request('message_delete_many', { n: 4, pop: 1 }),
      socket.request('claim_create', { n: 5 }),
    ])
    await service.asked('claim_create')
    service.act = (frame, peer) => peer.answer(frame, 200, frame.body.n)
    service.peer.break(CUT_FRAME)
    const outcomes = (await asked).map((one) => (one.status === 'fulfilled' ? one.value : one.reason.name))
    assert.deepEqual(outcomes, [1, 'Unreachable', 3, 'Unreachable', 'Unreachable'])
    assert.deepEqual(
      service.peer.frames.map(({ body }) => body.n),
      [1, 3],
    )
  })

  test('a request that breaks each connection is not asked for ever', async (t) => {
    const { service, zaqar } = await opened(t, { retries: 2 })
    service.act = (_, peer) => peer.ws.close(1009, 'too large')
    await assert.rejects(zaqar.socket.request('queue_list', {}), (error) => {
      assert.ok(error instanceof Unreachable)
      return /1009 too large/.test(error.message)
    })
    assert.equal(service.actions.filter((action) => action === 'queue_list').length, 3)
  })

  for (const [code, why] of [
    [1008, 'too many connections'],
    [1013, 'short of memory'],
  ] as const) {
    test(`with ${code} before it was of use, it is not opened again at once`, async (t) => {
      const service = await SocketService.start(t)
      service.act = (frame, peer) => {
        if (frame.action === 'authenticate') peer.send(answerTo(frame))
        if (service.peers.length < 4) peer.ws.close(code, why)
        else peer.answer(frame)
      }
      const waits: number[] = []
      const zaqar = client(t, service, { auth: { token: 'secret' }, project: undefined as never })
      t.mock.method(Math, 'random', () => 0)
      const setTimeout = globalThis.setTimeout
      t.mock.method(globalThis, 'setTimeout', (run: () => void, milliseconds: number) => {
        if (milliseconds >= 1_000) return setTimeout(run, milliseconds)
        waits.push(milliseconds)
        return setTimeout(run, 1)
      })
      await zaqar.socket.request('queue_list', {})
      assert.deepEqual(waits, [100, 200, 400])
    })
  }

  test('with 1013 after it was of use for long, it is opened again soon', async (t) => {
    const service = await SocketService.start(t)
    const zaqar = client(t, service)
    service.refusal = 503
    mock.timers.enable({ apis: ['Date'] })
    const asked = zaqar.socket.request('queue_list', {})
    await service.changed.until(() => service.upgrades === 2)
    service.refusal = null
    await asked
    mock.timers.tick(60_000)
    const setTimeout = t.mock.method(globalThis, 'setTimeout')
    service.peer.ws.close(1013)
    await once(service.peer.ws, 'close')
    await zaqar.socket.request('queue_list', {})
    const waits = setTimeout.mock.calls.map(({ arguments: [, milliseconds = 0] }) => milliseconds)
    assert.ok(
      waits.every((milliseconds) => milliseconds <= 200 || milliseconds >= 5_000),
      `${waits}`,
    )
  })

  test('as the service cannot be reached, requests wait, and end with their time', async (t) => {
    const service = await SocketService.start(t)
    service.refusal = 503
    const zaqar = client(t, service)
    await assert.rejects(zaqar.socket.request('queue_list', {}, { timeout: 0.05 }), { code: 'timeout' })
    const reason = new Error('enough')
    const controller = new AbortController()
    const asked = zaqar.socket.request('queue_list', {}, { signal: controller.signal })
    controller.abort(reason)
    await assert.rejects(asked, reason)
    service.refusal = null
    await zaqar.socket.request('queue_list', {})
  })

  test('no more requests wait than may', async (t) => {
    const service = await SocketService.start(t)
    service.isSilent = true
    const zaqar = client(t, service, { maxWaiting: 2 })
    const waiting = [zaqar.socket.request('queue_list', {}), zaqar.socket.request('queue_list', {})]
    const outcomes = Promise.allSettled(waiting)
    await assert.rejects(zaqar.socket.request('queue_list', {}), (error) => {
      assert.ok(error instanceof Unavailable)
      return error.message.includes('2 requests wait')
    })
    zaqar.close()
    assert.deepEqual(
      (await outcomes).map((one) => one.status === 'rejected' && one.reason.message),
      ['The client was closed.', 'The client was closed.'],
    )
  })
})

describe('silence', () => {
  test('is asked about, and the connection is given up when that is not answered', async (t) => {
    mock.timers.enable({ apis: ['setInterval', 'Date'] })
    const { service, zaqar } = await opened(t)
    const asked = zaqar.socket.request('queue_list', {})
    await service.asked('queue_list')
    mock.timers.tick(10_000)
    await service.asked('ping_node')
    service.act = (frame, peer) => peer.answer(frame, 200, service.peers.length)
    mock.timers.tick(10_000)
    assert.equal(await asked, 2)
  })

  test('that is broken by an answer is none', async (t) => {
    mock.timers.enable({ apis: ['setInterval', 'Date'] })
    const { service, zaqar } = await opened(t)
    const asked = zaqar.socket.request('queue_list', {})
    const frame = await service.asked('queue_list')
    service.act = (ping, peer) => peer.answer(ping)
    for (let pings = 1; pings <= 3; pings++) {
      mock.timers.tick(10_000)
      await service.asked('ping_node', pings)
      // Its answer is read before that of this one.
      await zaqar.socket.request('get_home_doc', {})
    }
    service.peer.answer(frame, 200, 'at last')
    assert.equal(await asked, 'at last')
  })

  test('of a client that asks nothing closes the connection, and the next request opens one', async (t) => {
    mock.timers.enable({ apis: ['setInterval', 'Date'] })
    const { service, zaqar } = await opened(t)
    mock.timers.tick(60_000)
    await once(service.peer.ws, 'close')
    assert.deepEqual(service.actions, ['get_home_doc'])
    service.act = (frame, peer) => peer.answer(frame)
    await zaqar.socket.request('queue_list', {})
    assert.equal(service.peers.length, 2)
  })

  test('is not asked about where the service repeats no ids: upstream’s hangs up on pings', async (t) => {
    mock.timers.enable({ apis: ['setInterval', 'Date'] })
    const service = await SocketService.start(t)
    const zaqar = client(t, service)
    service.act = () => {}
    const asked = zaqar.socket.request('queue_list', {})
    const frame = await service.asked('queue_list')
    mock.timers.tick(50_000)
    service.peer.send({ ...answerTo(frame, 200, 'late'), request_id: undefined })
    assert.equal(await asked, 'late')
    assert.deepEqual(service.actions, ['queue_list'])
  })
})

describe('a token', () => {
  /** Accepts the second one. */
  async function guarded(t: TestContext) {
    const service = await SocketService.start(t)
    service.act = (frame, peer) => peer.answer(frame, frame.headers['X-Auth-Token'] === 'first' ? 401 : 200)
    const renewals: boolean[] = []
    const token = (renew: boolean) => {
      renewals.push(renew)
      return renewals.length === 1 ? 'first' : 'second'
    }
    return { service, renewals, zaqar: client(t, service, { auth: { token }, project: undefined as never }) }
  }

  test('is shown first, and renewed once where it is not accepted', async (t) => {
    const { service, renewals, zaqar } = await guarded(t)
    await zaqar.socket.request('queue_list', {})
    assert.deepEqual(
      service.peer.frames.map(({ action, headers }) => [action, headers['X-Auth-Token']]),
      [
        ['authenticate', 'first'],
        ['authenticate', 'second'],
        ['queue_list', undefined],
      ],
    )
    assert.deepEqual(renewals, [false, true])
  })

  test('that is not accepted after that is an error for all who wait', async (t) => {
    const { service, renewals, zaqar } = await guarded(t)
    service.act = (frame, peer) => peer.answer(frame, 401, { error: 'Authentication failed.' })
    const outcomes = await Promise.allSettled([1, 2].map(() => zaqar.socket.request('queue_list', {})))
    assert.deepEqual(
      outcomes.map((one) => one.status === 'rejected' && one.reason.code),
      ['unauthenticated', 'unauthenticated'],
    )
    assert.deepEqual(renewals, [false, true])
  })

  test('that has ended closes the connection with 4003; what was asked is asked again with a new one', async (t) => {
    const service = await SocketService.start(t)
    let valid = 1
    let given = 0
    service.act = (frame, peer) => {
      const isGood = frame.action !== 'authenticate' || frame.headers['X-Auth-Token'] === `token ${valid}`
      if (frame.action === 'queue_list' && service.peers.length === 1) {
        valid = 2
        peer.ws.close(4003, 'the token has ended')
      } else peer.answer(frame, isGood ? 200 : 401)
    }
    const auth = { token: () => `token ${++given}` }
    const zaqar = client(t, service, { auth, project: undefined as never })
    await zaqar.socket.request('queue_list', {})
    assert.equal(service.peers.length, 2)
    assert.equal(given, 2)
  })

  test('that another request has renewed is shown before the old one ends', async (t) => {
    mock.timers.enable({ apis: ['setInterval', 'Date'] })
    const service = await SocketService.start(t)
    let given = 0
    const zaqar = client(t, service, { auth: { token: () => `token ${++given}` }, project: undefined as never })
    await zaqar.socket.request('queue_list', {})
    service.onHttp = ({ headers }, response) => {
      response.writeHead(headers['x-auth-token'] === 'token 1' ? 401 : 204).end()
    }
    await zaqar.queue('jobs').delete()
    mock.timers.tick(5_000)
    const { headers } = await service.asked('authenticate', 2)
    assert.equal(headers['X-Auth-Token'], 'token 2')
    assert.equal(service.peers.length, 1)
  })

  test('that cannot be had is told as it is', async (t) => {
    const service = await SocketService.start(t)
    const failure = new Error('no keyring')
    const auth = { token: () => Promise.reject(failure) }
    const zaqar = client(t, service, { auth, project: undefined as never })
    await assert.rejects(zaqar.socket.request('queue_list', {}), failure)
  })
})

describe('a client', () => {
  test('without a WebSocket says so, and does with one that comes later', async (t) => {
    const service = await SocketService.start(t)
    const zaqar = client(t, service)
    const { WebSocket } = globalThis
    Reflect.deleteProperty(globalThis, 'WebSocket')
    t.after(() => Object.assign(globalThis, { WebSocket }))
    await assert.rejects(zaqar.socket.request('queue_list', {}), /There is no `WebSocket` here: hand one in/)
    Object.assign(globalThis, { WebSocket })
    await zaqar.socket.request('queue_list', {})
  })

  test('speaks MessagePack with what it is handed in', async (t) => {
    const msgpack = new Packr({ useRecords: false, int64AsType: 'number' })
    const service = await SocketService.start(t, msgpack)
    const zaqar = client(t, service, { msgpack })
    service.act = (frame, peer) => peer.answer(frame, 200, frame.body)
    const body = { text: 'grün', large: 2 ** 40, list: [null, true, 1.5], date: new Date(0), nothing: undefined }
    assert.deepEqual(await zaqar.socket.request('queue_list', body), {
      text: 'grün',
      large: 2 ** 40,
      list: [null, true, 1.5],
      date: '1970-01-01T00:00:00.000Z',
    })
  })

  test('refuses a body that is no JSON, and is none the worse for it', async (t) => {
    mock.timers.enable({ apis: ['setInterval', 'Date'] })
    const { service, zaqar } = await opened(t)
    await assert.rejects(zaqar.socket.request('queue_list', { n: 1n }), TypeError)
    // It is idle.
    mock.timers.tick(60_000)
    await once(service.peer.ws, 'close')
  })

  test('that is closed ends what is asked, and asks nothing more', async (t) => {
    const { service, zaqar } = await opened(t)
    const asked = zaqar.socket.request('queue_list', {})
    await service.asked('queue_list')
    zaqar.close()
    await assert.rejects(asked, { code: 'unreachable', message: 'The client was closed.' })
    await assert.rejects(zaqar.socket.request('queue_list', {}), { message: 'The client was closed.' })
    assert.equal(service.peers.length, 1)
  })

  for (const state of ['connected', 'refused', 'silent'] as const) {
    test(`that is closed lets its process end: ${state}`, async (t) => {
      const service = await SocketService.start(t)
      service.act = () => {}
      service.isSilent = state === 'silent'
      service.refusal = state === 'refused' ? 503 : null
      const program = `
        import { Zaqar } from 'zaqar-client'
        const zaqar = new Zaqar({ url: '${service.url}', project: 'demo' })
        const failed = zaqar.socket.request('queue_list', {}).catch(({ message }) => console.log(message))
        zaqar.queue('jobs').subscribe(() => {}, { transports: ['socket'], onError: () => {} })
        process.stdin.once('data', () => { zaqar.close(); process.stdin.destroy() })`
      const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { cwd: import.meta.dirname })
      t.after(() => child.kill('SIGKILL'))
      if (state === 'connected') await service.asked('queue_list')
      else await service.changed.until(() => service.upgrades > 0)
      child.stdin.end('close\n')
      const [[code], [output]] = await Promise.all([once(child, 'exit'), once(child.stdout, 'data')])
      assert.deepEqual([code, `${output}`.trim()], [0, 'The client was closed.'])
    })
  }

  test('tells of an address at which there can be no WebSocket', async (t) => {
    const service = await SocketService.start(t)
    const zaqar = client(t, service, { socketUrl: 'ws://[nowhere' })
    await assert.rejects(zaqar.socket.request('queue_list', {}), (error) => {
      assert.ok(error instanceof ZaqarError)
      return error.code === 'bad_request' && error.message.includes('ws://[nowhere')
    })
  })
})
