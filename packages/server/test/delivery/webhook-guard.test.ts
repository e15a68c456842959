import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startDns } from './dns-server.ts'
import { failure, openChannel, startReceiver } from './webhook-scene.ts'

const refused = (why: string) => failure(`nothing is sent to the address of the receiver (${why})`)

describe('an address in the URL', () => {
  test('is judged in all its spellings', async (t) => {
    const receiver = await startReceiver(t)
    const { send } = openChannel(t, { allowLoopback: false })
    for (const host of [
      ...['127.0.0.1', '2130706433', '0x7f000001', '0177.0.0.1', '127.1', '127.0.0.1.', '%31%32%37.0.0.1'],
      ...['[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[64:ff9b::7f00:1]', '[2002:7f00:1::]', '[::1]', '①②⑦.0.0.1'],
    ]) {
      assert.deepEqual(await send(`http://${host}:${receiver.port}/`), refused('loopback'), host)
    }
    for (const host of ['169.254.169.254', '2852039166', '[::ffff:a9fe:a9fe]', '0xA9FEA9FE', '[fd00:ec2::254]']) {
      assert.deepEqual(await send(`http://${host}/latest/meta-data/`), refused('metadata service'), host)
    }
    assert.deepEqual(await send(`http://0:${receiver.port}/`), refused('unspecified'))
    assert.deepEqual(await send(`http://[::]:${receiver.port}/`), refused('unspecified'))
    assert.deepEqual(receiver.received, [])
  })

  test('is judged by what the operator denies', async (t) => {
    const receiver = await startReceiver(t)
    const { send } = openChannel(t, { deny: ['127.0.0.0/30'] })
    assert.deepEqual(await send(receiver.url), refused('denied'))
    assert.deepEqual(receiver.received, [])
  })
})

describe('a name in the URL', () => {
  test('of this machine leads nowhere', async (t) => {
    const receiver = await startReceiver(t)
    const { send } = openChannel(t, { allowLoopback: false })
    assert.deepEqual(await send(`http://localhost:${receiver.port}/`), refused('loopback'))
    assert.deepEqual(receiver.received, [])
  })

  test('is reached at the addresses that may be sent to, and only there', async (t) => {
    const forbidden = await startReceiver(t, undefined, { host: '127.0.0.2' })
    const allowed = await startReceiver(t, undefined, { host: '127.0.0.1' })
    const resolve = await startDns(t, () => ['169.254.169.254', '127.0.0.2', '127.0.0.1'])
    const { send } = openChannel(t, { resolve, deny: ['127.0.0.2'] })
    assert.equal((await send(`http://both.example:${allowed.port}/`)).result, 'delivered')
    assert.deepEqual(await send(`http://both.example:${forbidden.port}/`), failure('the connection is refused'))
    assert.equal(allowed.received[0]?.headers.host, `both.example:${allowed.port}`)
    assert.deepEqual(forbidden.received, [])
  })

  test('that changes its address is judged at each connection, and reached where it was judged', async (t) => {
    // A receiver that closes its connections makes the channel look the name up each time.
    const receiver = await startReceiver(t, (response) => response.setHeader('Connection', 'close').end())
    const answers = [['127.0.0.1'], ['169.254.169.254'], ['127.0.0.1'], ['127.0.0.2']]
    let questions = 0
    const resolve = await startDns(t, () => answers[questions++] ?? [])
    const { send } = openChannel(t, { resolve, deny: ['127.0.0.2'] })
    const url = `http://rebinding.example:${receiver.port}/`
    assert.equal((await send(url)).result, 'delivered')
    assert.deepEqual(await send(url), refused('metadata service'))
    assert.equal((await send(url)).result, 'delivered')
    assert.deepEqual(await send(url), refused('denied'))
    assert.deepEqual([questions, receiver.received.length], [4, 2])
  })

  test('is looked up again behind a redirect that needs a new connection', async (t) => {
    const receiver = await startReceiver(t, (response) => {
      response.writeHead(307, { Location: '/there', Connection: 'close' }).end()
    })
    const answers = [['127.0.0.1'], ['169.254.169.254']]
    let questions = 0
    const resolve = await startDns(t, () => answers[questions++] ?? [])
    const { send } = openChannel(t, { resolve })
    assert.deepEqual(await send(`http://rebinding.example:${receiver.port}/`), refused('metadata service'))
    assert.deepEqual([questions, receiver.received.length], [2, 1])
  })

  test('is looked up once for all connections that are being opened', async (t) => {
    const receiver = await startReceiver(t)
    let questions = 0
    const resolve = await startDns(t, () => {
      questions++
      return ['127.0.0.1']
    })
    const { send } = openChannel(t, { resolve, connectionsPerHost: 5 })
    const url = `http://name.example:${receiver.port}/`
    const answers = await Promise.all(Array.from({ length: 5 }, () => send(url)))
    assert.ok(answers.every(({ result }) => result === 'delivered'))
    assert.equal(new Set(receiver.received.map(({ from }) => from)).size, 5)
    assert.equal(questions, 1)
  })

  test('that nobody knows is a failure', async (t) => {
    const resolve = await startDns(t, () => [])
    const { send } = openChannel(t, { resolve })
    assert.deepEqual(await send('http://nowhere.example/'), failure('the name of the receiver is not known'))
  })

  test('whose look-up is not answered takes no longer than a connection', async (t) => {
    const resolve = await startDns(t, () => null)
    const { send } = openChannel(t, { resolve, connectSeconds: 0.1 })
    assert.deepEqual(await send('http://silent.example/'), failure('the receiver cannot be reached in time'))
  })
})
