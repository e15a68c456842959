import assert from 'node:assert/strict'
import type { AsyncApi } from '../../src/wire/asyncapi/types.ts'
import { resolved } from '../openapi/document.ts'
import { openInProcess } from '../support/in-process.ts'

/** As it is served; `env` configures the service. */
export async function fetchAsyncApi(env: Record<string, string> = {}): Promise<AsyncApi> {
  const service = await openInProcess(env)
  const { status, headers, text } = await service.send({ method: 'GET', target: '/asyncapi.json', headers: {} })
  await service.close()
  assert.equal(status, 200, text)
  assert.equal(headers['content-type'], 'application/json')
  return JSON.parse(text)
}

/** The same with everything that is pointed at put in its place. */
export function withoutPointers(document: AsyncApi): AsyncApi {
  return resolved(document, document) as AsyncApi
}
