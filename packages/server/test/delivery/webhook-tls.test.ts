import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { TlsOptions } from 'node:tls'
import { makePair } from '../support/certificates.ts'
import { failure, openChannel, startReceiver } from './webhook-scene.ts'

const pair = makePair('receiver')

describe('a receiver with TLS', () => {
  test('is sent to when its authority is one of ours', async (t) => {
    const receiver = await startReceiver(t, (response) => response.end('secure'), { tls: pair })
    const { send } = openChannel(t, { ca: pair.cert })
    const answer = await send(receiver.url, { body: 'secret' })
    assert.deepEqual([answer.result, answer.answer, receiver.received[0]?.body], ['delivered', 'secure', 'secret'])
    const byName = await send(receiver.url.replace('127.0.0.1', 'localhost'))
    assert.equal(byName.result, 'delivered')
  })

  test('of an unknown authority is a failure, and gets nothing', async (t) => {
    const receiver = await startReceiver(t, undefined, { tls: pair })
    const expected = failure('the certificate of the receiver is from an unknown authority')
    assert.deepEqual(await openChannel(t).send(receiver.url), expected)
    assert.deepEqual(await openChannel(t, { ca: makePair('other').cert }).send(receiver.url), expected)
    assert.deepEqual(receiver.received, [])
  })

  test('with another name in its certificate is a failure, and gets nothing', async (t) => {
    const receiver = await startReceiver(t, undefined, { tls: pair, host: '127.0.0.2' })
    const { send } = openChannel(t, { ca: pair.cert })
    assert.deepEqual(await send(receiver.url), failure('the certificate of the receiver is for another name'))
    const resolve = async () => [{ address: '127.0.0.2', family: 4 }]
    const named = openChannel(t, { ca: pair.cert, resolve })
    assert.deepEqual(
      await named.send(`https://other.example:${receiver.port}/`),
      failure('the certificate of the receiver is for another name'),
    )
    assert.deepEqual(receiver.received, [])
  })

  test('that wants a certificate of the service is shown it', async (t) => {
    const client = makePair('client')
    const tls = { ...pair, requestCert: true, rejectUnauthorized: true, ca: client.cert }
    const receiver = await startReceiver(t, undefined, { tls })
    const { send } = openChannel(t, { ca: pair.cert, ...client })
    assert.equal((await send(receiver.url)).result, 'delivered')
    const without = await openChannel(t, { ca: pair.cert }).send(receiver.url)
    assert.deepEqual([without.result, without.status, receiver.received.length], ['failed', null, 1])
  })

  test('is no receiver without TLS, and the other way round', async (t) => {
    const [plain, secure] = [await startReceiver(t), await startReceiver(t, undefined, { tls: pair })]
    const { send } = openChannel(t, { ca: pair.cert })
    assert.deepEqual(
      await send(plain.url.replace('http', 'https')),
      failure('the receiver and the service do not agree on TLS'),
    )
    assert.equal((await send(secure.url.replace('https', 'http'))).result, 'failed')
    assert.deepEqual([...plain.received, ...secure.received], [])
  })

  test('is spoken to in HTTP/1.1', async (t) => {
    const offered: unknown[] = []
    const tls: TlsOptions = {
      ...pair,
      ALPNCallback({ protocols }) {
        offered.push(protocols)
        return 'http/1.1'
      },
    }
    const receiver = await startReceiver(t, undefined, { tls })
    assert.equal((await openChannel(t, { ca: pair.cert }).send(receiver.url)).result, 'delivered')
    assert.deepEqual(offered, [['http/1.1']])
  })
})
