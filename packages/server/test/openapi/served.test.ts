import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ManualClock } from 'zaqar-conformance'
import { createAuthentication } from '../../src/auth/authenticate.ts'
import { createV2 } from '../../src/wire/v2/version.ts'
import { openInProcess } from '../support/in-process.ts'
import type { TestAnswer } from '../support/test-client.ts'
import { fetchDocument, operationsOf, type Schema } from './document.ts'

/** As from a browser: without the headers of the API. */
async function visit(target: string, env: Record<string, string> = {}): Promise<TestAnswer> {
  const service = await openInProcess(env)
  try {
    return await service.send({ method: 'GET', target, headers: { Accept: 'text/html' } })
  } finally {
    await service.close()
  }
}

async function documentWith(env: Record<string, string>) {
  const service = await openInProcess(env)
  try {
    return await fetchDocument(service.send)
  } finally {
    await service.close()
  }
}

describe('the description of the API', () => {
  it('is a page that loads nothing and runs nothing', async () => {
    const { status, headers, text } = await visit('/docs')
    assert.equal(status, 200)
    assert.equal(headers['content-type'], 'text/html; charset=utf-8')
    assert.equal(headers['content-security-policy'], "default-src 'none'; style-src 'unsafe-inline'")
    assert.doesNotMatch(text, /<(script|link|img|iframe)|\bsrc=|@import|url\(/)
    for (const target of text.matchAll(/href="([^"]*)"/g)) assert.match(target[1] as string, /^(#|\/openapi\.json$)/)
    for (const [, id] of text.matchAll(/href="#([^"]*)"/g)) assert.ok(text.includes(`id="${id}"`), `#${id} is there`)
  })

  it('is for everybody where a token is asked for, as is the list of versions', async () => {
    const authenticate = createAuthentication({
      unsigned: async () => ({ rejected: 'token', askAt: 'http://keystone.example' }),
      signer: null,
      clock: new ManualClock(0),
    })
    const shown = (path: string) => authenticate({ headers: {}, method: 'GET', path })
    for (const path of ['/', '/docs', '/openapi.json']) assert.ok(!('rejected' in (await shown(path))), path)
    for (const path of ['/v2/queues', '/docs/', '/v2/']) assert.ok('rejected' in (await shown(path)), path)
  })

  it('says of every parameter what it means', async () => {
    for (const { path, method, operation } of operationsOf(await documentWith({}))) {
      for (const parameter of (operation.parameters ?? []) as Schema[]) {
        if (parameter.in === 'path') continue
        assert.ok(parameter.description, `${method} ${path}: ${parameter.name}`)
      }
    }
  })

  it('has an operation for every door of the current version, and their names are unique', async () => {
    const service = await openInProcess()
    const operations = operationsOf(await fetchDocument(service.send))
    for (const { path, method } of operations) {
      const { status, headers } = await service.client.send('OPTIONS', path.replace(/\{\w+\}/g, 'x'))
      assert.equal(status, 200)
      const same = operations.filter((one) => one.path === path).map((one) => one.method)
      assert.deepEqual(headers['allow']?.split(', '), same.sort(), `${method} ${path}`)
    }
    const { deleteNeedsClaimIds, checksum } = service.config.messages
    const { doors } = createV2({ ...service.config.limits, deleteNeedsClaimIds, checksum })
    for (const { method, path, describe } of doors) assert.ok(describe, `${method} ${path} is described`)
    const names = operations.map(({ operation }) => operation.operationId)
    assert.equal(new Set(names).size, names.length)
    await service.close()
  })

  it('tells the limits that are configured', async () => {
    const { paths } = await documentWith({
      OS_TRANSPORT__MAX_CLAIM_TTL: '600',
      OS_TRANSPORT__MAX_MESSAGES_PER_PAGE: '7',
    })
    const claim = paths['/v2/queues/{queue}/claims']?.['post'] as Schema
    assert.equal(claim.requestBody.content['application/json'].schema.properties.ttl.maximum, 600)
    const list = paths['/v2/queues/{queue}/messages']?.['get'] as Schema
    const limit = list.parameters.find((one: Schema) => one.name === 'limit')
    assert.deepEqual([limit.schema.maximum, limit.schema.default], [7, 7])
  })

  it('leaves out what operators have elsewhere or not at all', async () => {
    const { paths } = await documentWith({ OS_DEFAULT__ADMIN_MODE: 'false' })
    assert.equal(paths['/v2/pools'], undefined)
    assert.notEqual(paths['/v2/queues'], undefined)
  })
})
