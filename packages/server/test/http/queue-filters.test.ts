import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type InProcessService, openInProcess } from '../support/in-process.ts'

describe('a filter of a list by metadata', () => {
  let service: InProcessService
  const names = async (target: string) => {
    const { status, text } = await service.client.get(target)
    assert.equal(status, 200, text)
    const document = JSON.parse(text)
    return (document.queues ?? document.topics).map(({ name }: { name: string }) => name)
  }

  before(async () => {
    service = await openInProcess()
    for (const kind of ['queues', 'topics']) {
      await service.client.put(`/v2/${kind}/one`, { owner: 'a' })
      await service.client.put(`/v2/${kind}/two`, { owner: 'a,b' })
    }
  })
  after(() => service.close())

  for (const kind of ['queues', 'topics']) {
    for (const query of [
      'owner=a&owner=b',
      'owner=a&owner=a',
      'owner=a,b',
      'owner=a,',
      'owner=&owner=a',
      'limit=1&owner=a&%6Fwner=b',
    ]) {
      it(`that is given twice or is a list is wrong: /v2/${kind}?${query}`, async () => {
        const { status, text } = await service.client.get(`/v2/${kind}?${query}`)
        assert.equal(status, 400, text)
        assert.equal(JSON.parse(text).title, 'Invalid parameter')
        assert.match(JSON.parse(text).description, /"owner"/)
      })
    }

    it(`may hold a comma that is escaped, also in the link that follows: ${kind}`, async () => {
      assert.deepEqual(await names(`/v2/${kind}?owner=a`), ['one'])
      assert.deepEqual(await names(`/v2/${kind}?owner=a%2Cb`), ['two'])
      const { text } = await service.client.get(`/v2/${kind}?limit=1&owner=a%2Cb`)
      const { href } = JSON.parse(text).links[0]
      assert.equal(href, `/v2/${kind}?limit=1&owner=a%2Cb&marker=two`)
      assert.deepEqual(await names(href), [])
    })

    it(`is none when it is blank: ${kind}`, async () => {
      assert.deepEqual(await names(`/v2/${kind}?owner=`), ['one', 'two'])
    })
  }

  it('may be one of many', async () => {
    const many = Array.from({ length: 1500 }, (_, index) => `a${index}=1`).join('&')
    assert.deepEqual(await names(`/v2/queues?${many}`), [])
  })

  it('is not known to v1.1, which takes no offence', async () => {
    assert.equal((await service.client.get('/v1.1/queues?owner=a&owner=b')).status, 200)
  })
})
