import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { allVersions } from '../../src/wire/all-versions.ts'
import { openInProcess } from '../support/in-process.ts'
import { KEYSTONE } from '../support/keystone-settings.ts'
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
    for (const target of text.matchAll(/href="([^"]*)"/g))
      assert.match(target[1] as string, /^(#|\/(openapi|asyncapi)\.json$)/)
    for (const [, id] of text.matchAll(/href="#([^"]*)"/g)) assert.ok(text.includes(`id="${id}"`), `#${id} is there`)
  })

  it('is for everybody where a token is asked for, as is the list of versions', async () => {
    const service = await openInProcess(KEYSTONE)
    const statusOf = async (target: string) => (await service.send({ method: 'GET', target, headers: {} })).status
    for (const path of ['/', '/docs', '/openapi.json', '/asyncapi.json'])
      assert.equal(await statusOf(path), path === '/' ? 300 : 200)
    for (const path of ['/v2/queues', '/docs/', '/v2/']) assert.equal(await statusOf(path), 401, path)
    await service.close()
  })

  it('says of every parameter what it means', async () => {
    for (const { path, method, operation } of operationsOf(await documentWith({}))) {
      for (const parameter of (operation.parameters ?? []) as Schema[]) {
        if (parameter.in === 'path') continue
        assert.ok(parameter.description, `${method} ${path}: ${parameter.name}`)
      }
    }
  })

  it('has an operation for every method of every path, and their names are unique', async () => {
    const service = await openInProcess()
    const operations = operationsOf(await fetchDocument(service.send))
    for (const { path, method } of operations) {
      const { status, headers } = await service.client.send('OPTIONS', path.replace(/\{\w+\}/g, 'x'))
      assert.equal(status, 200)
      const same = operations.filter((one) => one.path === path).map((one) => one.method)
      assert.deepEqual(headers['allow']?.split(', '), same.sort(), `${method} ${path}`)
    }
    for (const { prefix, doors } of allVersions) {
      const paths = new Set(operations.map(({ path }) => path))
      for (const { path } of doors) assert.ok(paths.has(`${prefix}${path.replaceAll(/:(\w+)/g, '{$1}')}`), path)
    }
    const names = operations.map(({ operation }) => operation.operationId)
    assert.equal(new Set(names).size, names.length)
    await service.close()
  })

  it('has the versions that are served, and their schemas only', async () => {
    const prefixes = async (env: Record<string, string>) => {
      const { paths, components, tags, ...document } = await documentWith(env)
      const named = [...Object.keys(components['schemas'] ?? {}), ...tags.map(({ name }) => name)]
      const groups = document['x-tagGroups'].map(({ name }) => name).filter((name) => name.startsWith('v'))
      for (const name of named) assert.ok(!/^v\d/.test(name) || groups.some((group) => name.startsWith(group)), name)
      assert.deepEqual(
        [...new Set(Object.keys(paths).map((path) => path.split('/')[1] ?? ''))].filter((part) => part.startsWith('v')),
        groups,
      )
      return groups
    }
    assert.deepEqual(await prefixes({}), ['v2', 'v1.1', 'v1'])
    assert.deepEqual(await prefixes({ OS_DEFAULT__ENABLE_DEPRECATED_API_VERSIONS: '1.1' }), ['v2', 'v1.1'])
    assert.deepEqual(await prefixes({ OS_DEFAULT__ENABLE_DEPRECATED_API_VERSIONS: '1' }), ['v2', 'v1'])
    assert.deepEqual(await prefixes({ OS_DEFAULT__ENABLE_DEPRECATED_API_VERSIONS: '' }), ['v2'])
  })

  it('calls operations of old versions deprecated, and no others', async () => {
    for (const { path, operation } of operationsOf(await documentWith({}))) {
      assert.equal(operation.deprecated, /^\/v1(\.1)?\//.test(path) ? true : undefined, path)
    }
  })

  it('asks for what each version asks of callers', async () => {
    const { paths } = await documentWith({})
    const required = (path: string, method: string) => {
      const parameters = paths[path]?.[method]?.parameters as Schema[]
      return parameters.filter(({ in: place, required }) => place === 'header' && required).map(({ name }) => name)
    }
    assert.deepEqual(required('/v2/queues', 'get'), ['Client-ID', 'X-Project-Id'])
    assert.deepEqual(required('/v1.1/', 'get'), ['Client-ID', 'X-Project-Id'])
    assert.deepEqual(required('/v1/', 'get'), [])
    assert.deepEqual(required('/v1/queues', 'get'), [])
    assert.deepEqual(required('/v1/queues/{queue}/messages', 'post'), ['Client-ID'])
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
    for (const prefix of ['/v1', '/v1.1', '/v2']) {
      assert.equal(paths[`${prefix}/pools`], undefined)
      assert.notEqual(paths[`${prefix}/queues`], undefined)
    }
    assert.equal(paths['/v1.1/health'], undefined)
    assert.notEqual(paths['/v1/health'], undefined)
  })
})
