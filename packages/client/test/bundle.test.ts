import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { bundled } from './bundle.ts'

/** Of a whole client, compressed. */
const MOST_BYTES = 15_000

async function bytesOf(source: string): Promise<number> {
  return gzipSync(await bundled(source), { level: 9 }).length
}

test('a page that uses the client loads little more, and less where HTTP is enough', async (t) => {
  const everything = await bytesOf("export * from 'zaqar-client'")
  const http = await bytesOf("export * from 'zaqar-client/http'")
  t.diagnostic(`zaqar-client: ${everything} bytes, zaqar-client/http: ${http} bytes (minified, gzip -9)`)
  assert.ok(everything <= MOST_BYTES, `${everything} bytes`)
  assert.ok(http < everything, `${http} bytes`)
})

test('a page that imports nothing of the client loads nothing of it', async () => {
  assert.equal((await bundled("import 'zaqar-client'")).trim(), '')
  const errors = await bundled("export { NotFound } from 'zaqar-client'")
  assert.doesNotMatch(errors, /fetch|WebSocket/)
})
