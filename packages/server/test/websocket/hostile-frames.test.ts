/**
 * What no honest client sends, from raw sockets, in the style of the Autobahn suite's groups 1 to 7 and 9. While each of
 * them does so, a well-behaved client of the same service is served.
 */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { closeFrame, FrameSocket, frame, OPCODE } from '../support/frame-socket.ts'
import { RawSocket } from '../support/raw-socket.ts'
import { CALLER, type SocketClient } from '../support/socket-client.ts'
import { type SocketService, socketServices } from '../support/socket-service.ts'

const { text, binary, ping, pong, continuation, close } = OPCODE

// Before the service ends with the test.
afterEach(async () => {
  assert.equal((await honest.ask('queue_list')).status, 200, 'others are served')
  hostile.socket.destroy()
})
const start = socketServices()

/** Asks for the list of queues. */
const REQUEST = Buffer.from(JSON.stringify({ action: 'queue_list', headers: CALLER }))

let service: SocketService
let honest: SocketClient
let hostile: FrameSocket

beforeEach(async () => {
  service = await start()
  honest = await service.connect()
  hostile = await FrameSocket.open(service.port)
})

async function assertAnswered(status = 200): Promise<void> {
  const answer = await hostile.next()
  assert.equal(answer?.opcode, text)
  assert.equal(JSON.parse(String(answer.payload)).headers.status, status)
}

async function assertClosed(code: number | null): Promise<void> {
  assert.equal(await hostile.closeCode(), code)
  // Ours is answered, or the connection is cut off.
  await hostile.write(closeFrame(1000))
  assert.equal(await hostile.next(), null)
}

/** In pieces of so many bytes. */
function pieces(content: Buffer, bytes: number, opcode: number = text): Buffer[] {
  const count = Math.max(1, Math.ceil(content.length / bytes))
  return Array.from({ length: count }, (_, i) =>
    frame({
      opcode: i === 0 ? opcode : continuation,
      fin: i === count - 1,
      payload: content.subarray(i * bytes, (i + 1) * bytes),
    }),
  )
}

describe('1: messages of every length', () => {
  for (const length of [0, 1, 125, 126, 127, 128, 65_535, 65_536, 200_000]) {
    for (const opcode of [text, binary]) {
      test(`${length} bytes, ${opcode === text ? 'text' : 'binary'}, are answered as what they are: no request`, async () => {
        await hostile.write(frame({ opcode, payload: '*'.repeat(length) }), frame({ opcode: text, payload: REQUEST }))
        const answer = await hostile.next()
        assert.equal(answer?.opcode, opcode)
        await assertAnswered()
      })
    }
  }

  test('that come byte for byte are put together', async () => {
    for (const byte of frame({ opcode: text, payload: REQUEST })) await hostile.write(Buffer.from([byte]))
    await assertAnswered()
  })

  test('that are longer than any request may be are refused when their length is known', async () => {
    await hostile.write(frame({ opcode: text, announced: 1n << 30n }))
    await assertClosed(1009)
  })

  test('that are longer than a number are refused as well', async () => {
    await hostile.write(frame({ opcode: binary, announced: (1n << 63n) - 1n }))
    await assertClosed(1009)
  })

  test('that are too long together with the pieces before are refused', async () => {
    const piece = '*'.repeat(100_000)
    await hostile.write(
      frame({ opcode: text, fin: false, payload: piece }),
      ...[1, 2, 3].map(() => frame({ opcode: continuation, fin: false, payload: piece })),
    )
    await assertClosed(1009)
  })
})

describe('2: pings and pongs', () => {
  for (const payload of ['', 'hello', '\0\xff\xfe', '*'.repeat(125)]) {
    test(`a ping of ${payload.length} characters is answered with the same`, async () => {
      await hostile.write(frame({ opcode: ping, payload: Buffer.from(payload, 'latin1') }))
      assert.deepEqual(await hostile.next(), { opcode: pong, payload: Buffer.from(payload, 'latin1') })
    })
  }

  test('a ping of more than 125 bytes is refused', async () => {
    await hostile.write(frame({ opcode: ping, payload: '*'.repeat(126) }))
    await assertClosed(1002)
  })

  test('pongs that nobody has asked for are ignored', async () => {
    for (let i = 0; i < 1_000; i++) await hostile.write(frame({ opcode: pong, payload: 'x' }))
    await hostile.write(frame({ opcode: text, payload: REQUEST }))
    await assertAnswered()
  })

  test('of 100,000 pings the last is answered, however little is read', async () => {
    hostile.socket.pause()
    const PINGS = 100_000
    const filler = '*'.repeat(100)
    for (let sent = 0; sent < PINGS; sent += 1_000) {
      const pings = Array.from({ length: 1_000 }, (_, i) =>
        frame({ opcode: ping, payload: `${sent + i + 1} ${filler}` }),
      )
      const written = hostile.write(Buffer.concat(pings))
      if (sent % 10_000 === 0) assert.equal((await honest.ask('queue_list')).status, 200)
      hostile.socket.resume()
      await written
    }
    for (
      let last = await hostile.next();
      !last?.payload.toString().startsWith(`${PINGS} `);
      last = await hostile.next()
    ) {
      assert.notEqual(last, null)
    }
  })
})

describe('3: reserved bits', () => {
  for (const reserved of [1, 2, 3, 4, 5, 6, 7]) {
    for (const opcode of [text, ping, close]) {
      test(`${reserved} of a frame with opcode ${opcode} are refused`, async () => {
        await hostile.write(frame({ opcode, reserved }))
        await assertClosed(1002)
      })
    }
  }
})

describe('4: reserved opcodes', () => {
  for (const opcode of [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]) {
    test(`${opcode} is refused behind what was good`, async () => {
      await hostile.write(frame({ opcode: text, payload: REQUEST }))
      await assertAnswered()
      await hostile.write(frame({ opcode, payload: 'x' }))
      await assertClosed(1002)
    })
  }
})

describe('5: fragments', () => {
  test('may have pings between them, which are answered first', async () => {
    const [first, ...others] = pieces(REQUEST, 10) as [Buffer, ...Buffer[]]
    await hostile.write(first, frame({ opcode: ping, payload: 'now' }), ...others)
    assert.equal((await hostile.next())?.opcode, pong)
    await assertAnswered()
  })

  test('may be empty', async () => {
    const empty = frame({ opcode: continuation, fin: false })
    await hostile.write(frame({ opcode: text, fin: false }), empty, empty)
    await hostile.write(frame({ opcode: continuation, payload: REQUEST }))
    await assertAnswered()
  })

  for (const [what, frames] of [
    ['a ping in fragments', [frame({ opcode: ping, fin: false, payload: 'a' })]],
    ['a continuation of nothing', [frame({ opcode: continuation, payload: 'a' })]],
    ['a continuation of nothing that goes on', [frame({ opcode: continuation, fin: false })]],
    [
      'a message within a message',
      [frame({ opcode: text, fin: false, payload: 'a' }), frame({ opcode: text, payload: 'b' })],
    ],
    ['a continuation behind the end', [...pieces(Buffer.from('ab'), 1), frame({ opcode: continuation })]],
  ] as const) {
    test(`${what} is refused`, async () => {
      await hostile.write(...frames)
      await assertClosed(1002)
    })
  }

  test('that are not masked are refused', async () => {
    await hostile.write(frame({ opcode: text, masked: false, payload: REQUEST }))
    await assertClosed(1002)
  })

  test('without an end, each tiny, are refused before they take much', async () => {
    await hostile.write(frame({ opcode: text, fin: false, payload: '{' }))
    const flood = Buffer.concat(
      Array.from({ length: 20_000 }, () => frame({ opcode: continuation, fin: false, payload: 'x' })),
    )
    await hostile.write(flood)
    await assertClosed(1008)
  })
})

describe('6: text that is no UTF-8', () => {
  /** Good, and of two, three and four bytes for a character. */
  const GOOD = Buffer.from(JSON.stringify({ action: 'queue_list', headers: CALLER, body: { a: 'äκόσμε €😀' } }))

  test('is told from good text, wherever that is cut', async () => {
    for (let at = 0; at <= GOOD.length; at++) {
      const [head, tail] = [GOOD.subarray(0, at), GOOD.subarray(at)]
      await hostile.write(
        frame({ opcode: text, fin: false, payload: head }),
        frame({ opcode: continuation, payload: tail }),
      )
      await assertAnswered()
    }
  })

  for (const [what, bytes] of [
    ['a byte that no character has', [0xff]],
    ['a continuation byte alone', [0x80]],
    ['a character that is cut off', [0xe2, 0x82]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['an overlong NUL', [0xf0, 0x80, 0x80, 0x80]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['more than Unicode has', [0xf4, 0x90, 0x80, 0x80]],
    ['a character of six bytes', [0xfc, 0x84, 0x80, 0x80, 0x80, 0x80]],
  ] as const) {
    test(`${what} is refused, wherever the message is cut`, async () => {
      const content = Buffer.concat([
        Buffer.from('κόσμε'),
        Buffer.from(bytes),
        Buffer.from(what === 'a character that is cut off' ? '' : 'edited'),
      ])
      for (let at = 0; at <= content.length; at++) {
        const socket = await FrameSocket.open(service.port)
        await socket.write(
          frame({ opcode: text, fin: false, payload: content.subarray(0, at) }),
          frame({ opcode: continuation, payload: content.subarray(at) }),
        )
        assert.equal(await socket.closeCode(), 1007, `cut at ${at}`)
        socket.socket.destroy()
      }
    })
  }

  test('is no matter in binary messages, which then are no MessagePack', async () => {
    await hostile.write(frame({ opcode: binary, payload: Buffer.from([0xc1, 0xff]) }))
    assert.equal((await hostile.next())?.opcode, binary)
  })
})

describe('7: the end of a connection', () => {
  for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999]) {
    test(`code ${code} is taken`, async () => {
      await hostile.write(closeFrame(code, 'bye'))
      assert.equal(await hostile.closeCode(), code)
      assert.equal(await hostile.next(), null)
    })
  }

  for (const code of [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535]) {
    test(`code ${code} is refused`, async () => {
      await hostile.write(closeFrame(code))
      await assertClosed(1002)
    })
  }

  test('may come without a code', async () => {
    await hostile.write(frame({ opcode: close }))
    assert.equal(await hostile.closeCode(), 1005)
  })

  for (const [what, bytes, code] of [
    ['with half a code', Buffer.from([3]), 1002],
    ['with a reason that is too long', Buffer.concat([Buffer.from([3, 232]), Buffer.alloc(124, 'x')]), 1002],
    ['with a reason that is no UTF-8', Buffer.from([3, 232, 0xff]), 1007],
  ] as const) {
    test(`${what} is refused`, async () => {
      await hostile.write(frame({ opcode: close, payload: bytes }))
      await assertClosed(code)
    })
  }

  test('is an end: what comes behind it is not served', async () => {
    await hostile.write(closeFrame(1000), frame({ opcode: text, payload: REQUEST }), frame({ opcode: ping }))
    assert.equal(await hostile.closeCode(), 1000)
    assert.equal(await hostile.next(), null)
  })

  test('within a message drops that message', async () => {
    await hostile.write(frame({ opcode: text, fin: false, payload: REQUEST }), closeFrame(1000))
    assert.equal(await hostile.closeCode(), 1000)
  })

  test('may be a reset in the middle of everything', async () => {
    await hostile.write(frame({ opcode: text, payload: REQUEST }), frame({ opcode: text, fin: false, payload: 'x' }))
    hostile.socket.resetAndDestroy()
  })
})

describe('9: much', () => {
  test('as large as a request may be, in pieces, is put together', async () => {
    const messages = [{ ttl: 300, body: 'x'.repeat(250_000) }]
    const request = { action: 'message_post', headers: CALLER, body: { queue_name: 'kit', messages } }
    await hostile.write(...pieces(Buffer.from(JSON.stringify(request)), 1_000))
    await assertAnswered(201)
  })

  test('tiny nonsense is answered, each, while others are served', async () => {
    const COUNT = 5_000
    const flood = Buffer.concat(Array.from({ length: COUNT }, () => frame({ opcode: text, payload: 'x' })))
    const written = hostile.write(flood)
    assert.equal((await honest.ask('queue_list')).status, 200)
    for (let i = 0; i < COUNT; i++) assert.equal((await hostile.next())?.opcode, text)
    await written
  })

  test('halves of handshakes keep nobody else out', async () => {
    const halves = await Promise.all(Array.from({ length: 200 }, () => RawSocket.connect(service.port)))
    for (const half of halves) await half.write('GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgr')
    const another = await service.connect()
    assert.equal((await another.ask('queue_list')).status, 200)
    for (const half of halves) half.destroy()
  })

  test('connections that are left in the middle of a message leave nothing', async () => {
    for (let i = 0; i < 100; i++) {
      const socket = await FrameSocket.open(service.port)
      await socket.write(frame({ opcode: text, announced: 200_000n }), Buffer.alloc(50_000))
      socket.socket.resetAndDestroy()
    }
    assert.equal((await honest.ask('queue_list')).status, 200)
  })
})
