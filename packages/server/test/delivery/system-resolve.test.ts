import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { createResolve } from '../../src/delivery/guard/system-resolve.ts'
import { until } from '../support/until.ts'
import { startNameServer } from './dns-server.ts'

const SYSTEM = [{ address: '10.0.0.1', family: 4 }]

/** A resolver with a name server of its own, and the names that it asks the system for. */
async function startResolve(
  t: TestContext,
  addressesOf: (name: string) => readonly string[] | null,
  answerOfSystem: (name: string) => Promise<typeof SYSTEM> = async () => SYSTEM,
) {
  const resolver = await startNameServer(t, addressesOf, { timeout: 100, tries: 1 })
  const folder = mkdtempSync(join(tmpdir(), 'zaqar-hosts-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const hostsFile = join(folder, 'hosts')
  writeFileSync(
    hostsFile,
    '127.0.0.1\tlocalhost\n# 10.0.0.1 comment.example\n10.0.0.1 a.b Pinned.Example # tail.example\n',
  )
  const system: string[] = []
  const lookup = (name: string) => {
    system.push(name)
    return answerOfSystem(name)
  }
  return { resolve: createResolve({ openResolver: () => resolver, lookup, hostsFile }), system }
}

describe('a name', () => {
  test('is asked of the name servers, and the system is left alone', async (t) => {
    const { resolve, system } = await startResolve(t, () => ['192.0.2.1', '192.0.2.2'])
    for (const name of ['name.example', 'comment.example', 'tail.example']) {
      assert.deepEqual(await resolve(name), [
        { address: '192.0.2.1', family: 4 },
        { address: '192.0.2.2', family: 4 },
      ])
    }
    assert.deepEqual(system, [])
  })

  test('whose name servers are silent holds up nobody: the system is not asked', async (t) => {
    const { resolve, system } = await startResolve(t, () => null)
    await assert.rejects(resolve('silent.example'), { code: 'ETIMEOUT' })
    assert.deepEqual(system, [])
  })

  test('that the name servers do not know is asked of the system', async (t) => {
    const { resolve, system } = await startResolve(t, () => [])
    assert.deepEqual(await resolve('web.default'), SYSTEM)
    assert.deepEqual(system, ['web.default'])
  })

  test('in the file of hosts, or without a dot, is that of the system', async (t) => {
    const { resolve, system } = await startResolve(t, () => ['192.0.2.1'])
    for (const name of ['pinned.example', 'a.b', 'localhost', 'controller'])
      assert.deepEqual(await resolve(name), SYSTEM)
    assert.deepEqual(system, ['pinned.example', 'a.b', 'localhost', 'controller'])
  })

  test('that only the system may know waits for others of that kind, and no other waits for it', async (t) => {
    const slow = Promise.withResolvers<never>()
    const { resolve, system } = await startResolve(
      t,
      (name) => (name === 'known.example' ? ['192.0.2.1'] : []),
      (name) => (name === 'unknown.example' ? slow.promise : Promise.resolve(SYSTEM)),
    )
    const unknown = resolve('unknown.example')
    await until(() => system.length > 0)
    const next = resolve('next')
    assert.deepEqual(await resolve('known.example'), [{ address: '192.0.2.1', family: 4 }])
    assert.deepEqual(await resolve('localhost'), SYSTEM)
    assert.deepEqual(system, ['unknown.example', 'localhost'])
    slow.reject(new Error('no such name'))
    await assert.rejects(unknown, /no such name/)
    assert.deepEqual(await next, SYSTEM)
  })
})
