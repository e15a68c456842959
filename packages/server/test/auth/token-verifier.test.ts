import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ManualClock } from 'zaqar-conformance'
import type { KeystoneApi } from '../../src/auth/keystone/keystone-api.ts'
import { KeystoneUnavailable } from '../../src/auth/keystone/keystone-connection.ts'
import type { Token } from '../../src/auth/keystone/token-document.ts'
import { TokenVerifier } from '../../src/auth/keystone/token-verifier.ts'
import { type Asker, NOBODY } from '../../src/core/identity.ts'

const SECOND = 1000

/** A Keystone in a few lines, whose answers a test decides. */
class FakeKeystone implements Pick<KeystoneApi, 'issue' | 'validate'> {
  readonly clock: ManualClock
  readonly issued: string[] = []
  readonly asked: string[] = []
  /** Tokens that are valid, with the seconds that they live from the start of the test. */
  readonly valid = new Map<string, number>()
  ownLifeSeconds = 3600
  isDown = false
  hold: Promise<void> = Promise.resolve()
  answerLength = 1000

  constructor(clock: ManualClock) {
    this.clock = clock
  }

  async issue(): Promise<{ id: string; token: Token }> {
    await this.#reach()
    const id = `own-${this.issued.length}`
    this.issued.push(id)
    return { id, token: this.#token('zaqar', this.clock.now() + this.ownLifeSeconds * SECOND) }
  }

  async validate(id: string, { ownToken }: { ownToken: string }): Promise<Token | 'invalid' | 'unauthorized'> {
    this.asked.push(id)
    await this.#reach()
    if (ownToken !== this.issued.at(-1) || this.revokedOwn.has(ownToken)) return 'unauthorized'
    // Like the real one, it does not mind how a token is padded.
    const token = id.replace(/=*$/, '')
    const expiresAt = this.valid.get(token)
    return expiresAt === undefined ? 'invalid' : this.#token(token, expiresAt)
  }

  readonly revokedOwn = new Set<string>()

  async #reach(): Promise<void> {
    await this.hold
    if (this.isDown) throw new KeystoneUnavailable('down')
  }

  #token(userId: string, expiresAt: number): Token {
    return { identity: { ...NOBODY, userId, expiresAt }, auditId: userId, length: this.answerLength }
  }
}

function given({ cacheSeconds = 300 } = {}) {
  const clock = new ManualClock()
  const api = new FakeKeystone(clock)
  const whole = new TokenVerifier({ api, clock, cacheSeconds })
  const verifier = { verify: (id: string, allowExpired = false) => whole.verify(id, {}, allowExpired) }
  /** Asked by whom; refusals as the names of errors. */
  const ask = async (id: string, asker: Asker) => {
    try {
      return (await whole.verify(id, asker))?.identity.userId ?? 'invalid'
    } catch (error) {
      return (error as Error).name
    }
  }
  const allow = (id: string, seconds = 3600) => api.valid.set(id, clock.now() + seconds * SECOND)
  return { clock, api, verifier, ask, allow, pass: (seconds: number) => clock.advance(seconds * SECOND) }
}

describe('a token', () => {
  test('is asked about once while the answer is believed, and then again', async () => {
    const { api, verifier, allow, pass } = given()
    allow('t')
    assert.equal((await verifier.verify('t'))?.identity.userId, 't')
    pass(299)
    const known = verifier.verify('t')
    assert.ok(!(known instanceof Promise), 'nothing is waited for')
    assert.equal(api.asked.length, 1)
    pass(1)
    await verifier.verify('t')
    assert.equal(api.asked.length, 2)
  })

  test('that was revoked is good until then, and no longer', async () => {
    const { api, verifier, allow, pass } = given()
    allow('t')
    await verifier.verify('t')
    api.valid.delete('t')
    pass(299)
    assert.ok(await verifier.verify('t'))
    pass(1)
    assert.equal(await verifier.verify('t'), null)
  })

  test('is never good beyond its own end, whatever the cache believes or Keystone says', async () => {
    const { verifier, allow, pass } = given()
    allow('t', 60)
    assert.ok(await verifier.verify('t'))
    pass(59)
    assert.ok(await verifier.verify('t'))
    pass(1)
    assert.equal(await verifier.verify('t'), null)
  })

  test('that has expired is good for a service that passes it on, where Keystone agrees', async () => {
    const { verifier, allow, pass } = given()
    allow('t', 60)
    pass(61)
    assert.equal(await verifier.verify('t'), null)
    assert.ok(await verifier.verify('t', true))
    assert.equal(await verifier.verify('t'), null, 'and for nobody else')
  })

  test('is asked about once by many requests at one time', async () => {
    const { api, verifier, allow } = given()
    allow('t')
    const { promise, resolve } = Promise.withResolvers<void>()
    api.hold = promise
    const all = Array.from({ length: 50 }, () => verifier.verify('t'))
    resolve()
    assert.equal((await Promise.all(all)).filter((token) => token?.identity.userId === 't').length, 50)
    assert.deepEqual([api.asked.length, api.issued.length], [1, 1])
  })

  test('that is not valid is not asked about again for some seconds', async () => {
    const { api, verifier, allow, pass } = given()
    assert.equal(await verifier.verify('t'), null)
    allow('t')
    assert.equal(await verifier.verify('t'), null)
    assert.equal(api.asked.length, 1)
    pass(10)
    assert.ok(await verifier.verify('t'))
  })

  test('is asked about each time where nothing is to be believed', async () => {
    const { api, verifier, allow } = given({ cacheSeconds: -1 })
    allow('t')
    await verifier.verify('t')
    await verifier.verify('t')
    assert.equal(api.asked.length, 2)
  })

  test('of no form that a token has is not asked about at all', async () => {
    const { api, verifier } = given()
    for (const id of ['', ' ', 'a b', 'é', 'a\nb', '=', 'a=b', 'a!', 'a%3D', '<a>', 'x'.repeat(8001)])
      assert.equal(await verifier.verify(id), null)
    assert.equal(api.asked.length, 0)
  })
})

test('whoever tries many tokens does not push out those that are known', async () => {
  const { api, verifier, allow } = given()
  allow('t')
  await verifier.verify('t')
  for (let tried = 0; tried < 12_000; tried++) await verifier.verify(`guess-${tried}`)
  const asked = api.asked.length
  await verifier.verify('t')
  assert.equal(api.asked.length, asked)
})

test('however many ways a token is spelt in, it has one place among those that are remembered', async () => {
  const { api, verifier, allow } = given()
  for (const id of ['other', 't']) allow(id)
  await verifier.verify('other')
  for (let spelt = 0; spelt < 7_900; spelt++) await verifier.verify(`t${'='.repeat(spelt)}`)
  for (let spelt = 0; spelt < 7_900; spelt++) await verifier.verify(`t${'='.repeat(spelt)}`)
  const asked = api.asked.length
  await verifier.verify('other')
  assert.equal(api.asked.length, asked)
  await verifier.verify('t')
  assert.equal(api.asked.length, asked + 1, 'only the last spelling is remembered')
})

test('what is remembered is bounded in sum, and what was asked last stays', async () => {
  const { api, verifier, allow } = given()
  api.answerLength = 1_000_000
  const names = Array.from({ length: 60 }, (_, index) => `t${index}`)
  for (const id of names) {
    allow(id)
    await verifier.verify(id)
  }
  await verifier.verify('t59')
  assert.equal(api.asked.length, 60)
  await verifier.verify('t0')
  assert.equal(api.asked.length, 61)
})

describe('while many tokens wait for Keystone', () => {
  const from = (address: string): Asker => ({ clientAddress: () => address })
  /** Keystone says nothing until `goOn`. */
  function waiting() {
    const { promise, resolve } = Promise.withResolvers<void>()
    const parts = given()
    parts.api.hold = promise
    return { ...parts, goOn: resolve }
  }

  test('a thousand from one place do not keep out those from another', async () => {
    const { ask, allow, goOn } = waiting()
    allow('good')
    const flood = Array.from({ length: 1000 }, (_, index) => ask(`junk${index}`, from('192.0.2.1')))
    const good = ask('good', from('192.0.2.2'))
    assert.equal(await flood[999], 'KeystoneBusy', 'the last of the longest line makes room')
    assert.equal(await ask('more', from('192.0.2.1')), 'KeystoneBusy')
    goOn()
    assert.equal(await good, 'good')
    assert.deepEqual(new Set(await Promise.all(flood.slice(0, 999))), new Set(['invalid']))
  })

  test('who comes from elsewhere is served next, not last', async () => {
    const { api, ask, allow, goOn } = waiting()
    allow('good')
    const flood = Array.from({ length: 500 }, (_, index) => ask(`junk${index}`, from('192.0.2.1')))
    const good = ask('good', from('192.0.2.2'))
    goOn()
    await good
    assert.ok(api.asked.indexOf('good') < 40, `as number ${api.asked.indexOf('good')}`)
    await Promise.all(flood)
  })

  test('all addresses that one host may have in IPv6 have one line', async () => {
    const { ask, allow, goOn } = waiting()
    allow('good')
    const flood = Array.from({ length: 1000 }, (_, n) => ask(`junk${n}`, from(`2001:db8::${n.toString(16)}`)))
    const good = ask('good', from('2001:db8:0:1::1'))
    assert.equal(await flood[999], 'KeystoneBusy')
    goOn()
    assert.equal(await good, 'good')
    await Promise.all(flood)
  })

  test('Keystone is not asked for clients that have gone', async () => {
    const { api, ask, allow, goOn } = waiting()
    for (const id of ['shared', 'good']) allow(id)
    const gone = new AbortController()
    const leaving: Asker = { ...from('192.0.2.1'), signal: () => gone.signal }
    const first = Array.from({ length: 32 }, (_, index) => ask(`first${index}`, leaving))
    const flood = Array.from({ length: 900 }, (_, index) => ask(`junk${index}`, leaving))
    const shared = [ask('shared', leaving), ask('shared', from('192.0.2.2'))]
    gone.abort()
    assert.deepEqual(new Set(await Promise.all(flood)), new Set(['Departed']))
    assert.equal(await ask('late', leaving), 'Departed')
    const good = ask('good', from('192.0.2.3'))
    goOn()
    assert.deepEqual(await Promise.all([good, ...shared]), ['good', 'shared', 'shared'])
    await Promise.all(first)
    assert.equal(api.asked.length, 34, 'those that were under way, and those for whom somebody waits')
  })
})

test('more than a thousand tokens that wait for Keystone are too many', async () => {
  const { api, verifier } = given()
  const { promise, resolve } = Promise.withResolvers<void>()
  api.hold = promise
  const waiting = Array.from({ length: 1000 }, (_, index) => verifier.verify(`t${index}`))
  await assert.rejects(async () => verifier.verify('another'), { name: 'KeystoneBusy' })
  resolve()
  await Promise.all(waiting)
  assert.equal(await verifier.verify('another'), null)
})

describe("the server's own token", () => {
  test('is renewed before it expires', async () => {
    const { api, verifier, allow, pass } = given({ cacheSeconds: 0 })
    allow('t', 100_000)
    await verifier.verify('t')
    pass(3600 - 61)
    await verifier.verify('t')
    assert.equal(api.issued.length, 1)
    pass(1)
    await verifier.verify('t')
    assert.equal(api.issued.length, 2)
  })

  test('is renewed in time even when it lives for seconds', async () => {
    const { api, verifier, allow, pass } = given({ cacheSeconds: 0 })
    api.ownLifeSeconds = 10
    allow('t')
    await verifier.verify('t')
    pass(8)
    await verifier.verify('t')
    assert.equal(api.issued.length, 2)
  })

  test('is replaced when Keystone does not accept it any more', async () => {
    const { api, verifier, allow } = given({ cacheSeconds: 0 })
    allow('t')
    await verifier.verify('t')
    api.revokedOwn.add('own-0')
    assert.ok(await verifier.verify('t'))
    assert.deepEqual(api.issued, ['own-0', 'own-1'])
  })

  test('that is not accepted though it is new makes Keystone one that gives no answers', async () => {
    const { api, verifier } = given()
    for (const id of ['own-0', 'own-1']) api.revokedOwn.add(id)
    await assert.rejects(async () => verifier.verify('t'), { name: 'KeystoneUnavailable' })
  })
})

describe('while Keystone is away', () => {
  test('known tokens go on, others are neither good nor bad', async () => {
    const { api, verifier, allow } = given()
    allow('known')
    allow('new')
    await verifier.verify('known')
    api.isDown = true
    assert.ok(await verifier.verify('known'))
    await assert.rejects(async () => verifier.verify('new'), { name: 'KeystoneUnavailable' })
    api.isDown = false
    assert.ok(await verifier.verify('new'), 'as soon as it is back')
  })
})
