import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { checkCertificates } from '../../../src/cli/doctor/certificates.ts'
import { load } from '../../config/memory.ts'
import { makePair, type Pair } from '../../support/certificates.ts'
import { found } from './found.ts'

const DAY_MS = 86_400_000

describe('certificates', () => {
  const folder = mkdtempSync(join(tmpdir(), 'zaqar-doctor-'))
  const path = (name: string) => join(folder, name)
  let pair: Pair
  let other: Pair

  before(() => {
    pair = makePair('zaqar', { days: 90 })
    other = makePair('other', { days: 90 })
    for (const [name, text] of Object.entries({ cert: pair.cert, key: pair.key, other: other.key })) {
      writeFileSync(path(name), text, { mode: 0o600 })
    }
    writeFileSync(path('chain'), pair.cert + other.cert)
  })
  after(() => rmSync(folder, { recursive: true }))

  /** `inDays`: when somebody looks. */
  function check(options: Readonly<Record<string, string>>, inDays = 0): Promise<string[]> {
    const loaded = load({ env: options })
    const clock = { now: () => Date.now() + inDays * DAY_MS }
    const subject = { ...loaded, version: '0', clock, service: Promise.resolve({ who: 'nobody' as const }) }
    return found((findings) => checkCertificates(findings, { ...subject, keystone: null, postgres: null }))
  }

  function ssl(cert: string, key: string): Record<string, string> {
    return { OS_SSL__CERT_FILE: path(cert), OS_SSL__KEY_FILE: path(key) }
  }

  test('that are good for long are well', async () => {
    const [belongs, good, ...others] = await check(ssl('cert', 'key'))
    assert.match(belongs ?? '', /^ok: the key \S+\/key belongs to the certificate \S+\/cert$/)
    assert.match(good ?? '', /^ok: \S+\/cert is good until \d{4}-\d\d-\d\d$/)
    assert.deepEqual(others, [])
    assert.deepEqual(await check({}), ['ok: no certificates are configured'])
  })

  test('that end soon, or have ended, are told of', async () => {
    assert.match(
      (await check(ssl('cert', 'key'), 75))[1] ?? '',
      /^warning: \S+ is good until \S+, for 1[45] more days -> renew it/,
    )
    assert.match((await check(ssl('cert', 'key'), 91))[1] ?? '', /^error: \S+ has expired, on /)
  })

  test('with the key of another, without one, or not in their order are told of', async () => {
    assert.match(
      (await check(ssl('cert', 'other')))[0] ?? '',
      /^error: the private key \S+ does not belong to the certificate/,
    )
    assert.match((await check(ssl('cert', 'nowhere')))[0] ?? '', /^error: \[ssl\]: there is no file \S+nowhere/)
    assert.match(
      (await check(ssl('chain', 'key'))).at(-1) ?? '',
      /^error: \S+chain: certificate 1 is not signed by the one that follows/,
    )
  })

  test('of authorities and clients are looked at, too', async () => {
    const authority = { OS_NOTIFICATION__CA_FILE: path('nowhere') }
    assert.match((await check(authority))[0] ?? '', /^error: \[notification\] ca_file: there is no file/)
    const none = { OS_NOTIFICATION__CA_FILE: path('key') }
    assert.match((await check(none))[0] ?? '', /holds no certificate in PEM form/)
  })

  test('that clients see at the public address are judged as clients do', async () => {
    const server = createServer(pair, (_, answer) => answer.end()).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    try {
      const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
      const lines = await check({ OS_NOTIFICATION__PUBLIC_URL: url })
      assert.match(
        lines[0] ?? '',
        /^error: the certificate that is shown at \S+ is not trusted here: DEPTH_ZERO_SELF_SIGNED_CERT/,
      )
      assert.match(lines[1] ?? '', /^ok: the certificate at \S+ is good until /)
    } finally {
      server.close()
    }
    const silent = await check({ OS_NOTIFICATION__PUBLIC_URL: 'https://127.0.0.1:9' })
    assert.match(silent[0] ?? '', /^warning: nobody speaks TLS with this machine at https:\/\/127\.0\.0\.1:9/)
  })
})
