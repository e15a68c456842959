import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import { listen } from '../../src/http/listener.ts'
import type { HttpRequest } from '../../src/http/messages.ts'
import { StorageUnavailable } from '../../src/storage/contract.ts'
import { openInProcess } from '../support/in-process.ts'
import { listenerOptions } from '../support/listener-options.ts'

const FORM = /^req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

describe('the id of a request', () => {
  test('is new for each request, and in its answer', async () => {
    const seen: HttpRequest[] = []
    const listener = await listen(async (request) => {
      seen.push(request)
      return { status: 204, headers: {}, body: undefined }
    }, listenerOptions())
    const url = `http://127.0.0.1:${listener.port}/`
    const answers = [await fetch(url), await fetch(url, { headers: { 'X-OpenStack-Request-ID': 'req-of-somebody' } })]
    await listener.close()
    const sent = answers.map(({ headers }) => headers.get('x-openstack-request-id'))
    assert.deepEqual(
      sent,
      seen.map(({ id }) => id),
    )
    for (const id of sent) assert.match(id ?? '', FORM)
    assert.equal(new Set(sent).size, 2)
  })

  test('is in the answer to what is no HTTP', async () => {
    const listener = await listen(async () => assert.fail('nothing was asked'), listenerOptions())
    const socket = connect(listener.port, '127.0.0.1')
    socket.end('nonsense\r\n\r\n')
    const answer = (await socket.toArray()).join('')
    await listener.close()
    const [, id = ''] = /^x-openstack-request-id: (.*)$/im.exec(answer) ?? []
    assert.match(id.trim(), FORM)
  })

  test('is in what the operator is told', async () => {
    const service = await openInProcess()
    await service.client.put('/v2/queues/jobs')
    Object.assign(service.storage.queues, {
      stats: async () => {
        throw new StorageUnavailable('disk full')
      },
    })
    assert.equal((await service.client.get('/v2/queues/jobs/stats')).status, 503)
    assert.deepEqual(service.logged, [{ requestId: 'req-test', method: 'GET', target: '/v2/queues/jobs/stats' }])
    await service.close()
  })
})
