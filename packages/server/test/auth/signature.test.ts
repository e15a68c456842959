import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { createUrlSigner, type SignedTerms, signatureCovers } from '../../src/core/rules/signature.ts'

const orders = (resource: string) => `/v2/queues/orders/${resource}`

/** Made by a running upstream server, and accepted back by it. (contract signed-urls.md 3) */
const examples: readonly { readonly name: string; readonly key: string; terms: SignedTerms; signature: string }[] = [
  {
    name: 'the defaults',
    key: 'testsecret',
    terms: { paths: [orders('messages')], methods: ['GET'], project: 'notif-demo', expires: '2099-01-01T00:00:00' },
    signature: 'ddca9dc6a5e79b6f2420880506843ca2b5a8b2f8c7c2f8d63169b17ca3ac935f',
  },
  {
    name: 'several methods and paths, in any order',
    key: 'testsecret',
    terms: {
      paths: [orders('messages'), orders('claims')],
      methods: ['POST', 'GET'],
      project: 'notif-demo',
      expires: '2099-01-01T00:00:00',
    },
    signature: '4cbf73c2a244249b9164e20fbc131422ecf5061db4d875fbaa948529e0e28233',
  },
  {
    name: 'five methods',
    key: 'testsecret',
    terms: {
      paths: [orders('subscriptions')],
      methods: ['GET', 'PUT', 'POST', 'DELETE', 'PATCH'],
      project: 'notif-demo',
      expires: '2099-12-31T22:59:59',
    },
    signature: '1518d0011ac59596ecfd348c70b6674f8285cdd8a42a4ecc65f26eb13b93c6a0',
  },
  {
    name: 'no project',
    key: 'test',
    terms: { paths: ['/v2/queues/shared/messages'], methods: ['GET'], project: null, expires: '2100-05-31T17:00:17' },
    signature: '62e7ad71a837c6d02b627350c1ed0f46a16759b783ff9ace4ac3553ccb309444',
  },
]

describe('signatures are those of upstream:', () => {
  for (const { name, key, terms, signature } of examples) {
    test(name, () => {
      const signer = createUrlSigner([key])
      assert.equal(signer.sign(terms), signature)
      assert.ok(signer.accepts(terms, signature))
    })
  }
})

test('the first key signs, all keys verify', () => {
  const terms = { paths: [orders('messages')], methods: ['GET'], project: 'p', expires: '2099-01-01T00:00:00' }
  const before = createUrlSigner(['old, with a comma'])
  const rotated = createUrlSigner(['new', 'old, with a comma'])
  assert.ok(rotated.accepts(terms, before.sign(terms) as string))
  assert.equal(rotated.sign(terms), createUrlSigner(['new']).sign(terms))
  assert.ok(!createUrlSigner(['new']).accepts(terms, before.sign(terms) as string))
})

const method = fc.constantFrom('GET', 'PUT', 'POST', 'DELETE', 'PATCH', 'get', 'FOO')
const name = fc.stringMatching(/^[a-z._-]{1,6}$/)
const path = fc
  .tuple(name, fc.constantFrom('messages', 'claims', 'subscriptions'))
  .map(([q, r]) => `/v2/queues/${q}/${r}`)
const terms: fc.Arbitrary<SignedTerms> = fc.record({
  paths: fc.array(path, { minLength: 1, maxLength: 3 }),
  methods: fc.array(method, { minLength: 1, maxLength: 3 }),
  project: fc.stringMatching(/^[0-9a-zN\\, .é]{1,8}$/),
  expires: fc
    .date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true })
    .map((at) => at.toISOString().slice(0, 19)),
})
const normal = ({ paths, methods, project, expires }: SignedTerms) =>
  JSON.stringify([[...paths].sort(), [...methods].sort(), project, expires])

test('a signature is good for its own terms and no others', () => {
  const signer = createUrlSigner(['secret'])
  fc.assert(
    fc.property(terms, terms, (mine, other) => {
      const signature = signer.sign(mine)
      if (signature === null) return
      assert.ok(signer.accepts(mine, signature))
      assert.equal(signer.accepts(other, signature), normal(mine) === normal(other))
    }),
  )
})

test('a signature with a character changed, added or taken away is none', () => {
  const signer = createUrlSigner(['secret'])
  fc.assert(
    fc.property(
      terms,
      fc.nat({ max: 63 }),
      fc.constantFrom(...'0123456789abcdefABCDEF', '', ' '),
      (mine, at, other) => {
        const signature = signer.sign(mine)
        if (signature === null || signature[at] === other) return
        assert.ok(!signer.accepts(mine, signature.slice(0, at) + other + signature.slice(at + 1)))
        assert.ok(!signer.accepts(mine, `${signature}${other || '0'}`))
      },
    ),
  )
})

/** Both halves of a text that somebody may have signed, cut at any separator into other terms. */
test('terms that could be read in another way are neither signed nor accepted', () => {
  const signer = createUrlSigner(['secret'])
  const expires = '2099-01-01T00:00:00'
  const ambiguous: SignedTerms[] = [
    { paths: [orders('messages')], methods: [',/v2/queues/other/messages\\nGET'], project: 'p', expires },
    { paths: [orders('messages'), orders('messages\\nGET')], methods: ['GET'], project: 'p', expires },
    { paths: [`${orders('messages')},/v2/queues`], methods: ['GET'], project: 'p', expires },
    { paths: [orders('messages')], methods: ['GET,POST'], project: 'p', expires },
    { paths: [orders('messages')], methods: ['GET'], project: 'a\\nb', expires },
  ]
  for (const terms of ambiguous) {
    assert.equal(signer.sign(terms), null)
    assert.ok(!signer.accepts(terms, '0'.repeat(64)))
  }
  fc.assert(
    fc.property(fc.array(fc.constantFrom('\\n', ',', '/v2', 'GET', 'p'), { maxLength: 6 }), terms, (parts, mine) => {
      const project = parts.join('')
      const signature = signer.sign({ ...mine, project })
      assert.equal(signature === null, project.includes('\\n') || signer.sign({ ...mine, project: 'p' }) === null)
    }),
  )
})

describe('a signed path covers', () => {
  const scope = { methods: ['GET'], paths: ['/v2/queues/a.b/messages'] }
  const cases: readonly (readonly [path: string, covered: boolean])[] = [
    ['/v2/queues/a.b/messages', true],
    ['/v2/queues/a.b/messages/1', true],
    ['/v2/queues/a.b/messages/1/2', true],
    ['/v2/queues/aXb/messages', false],
    ['/v2/queues/a.b/messagesx', false],
    ['/v2/queues/a.b', false],
    ['/v2/queues/a.b/', false],
    ['/v2/queues/a.b/stats', false],
    ['/v1/v2/queues/a.b/messages', false],
    ['/v2/queues/c/messages/v2/queues/a.b/messages', false],
    ['/V2/queues/a.b/messages', false],
    ['/', false],
    ['', false],
  ]
  for (const [path, covered] of cases) {
    test(`${covered ? '' : 'not '}${path || 'nothing'}`, () =>
      assert.equal(signatureCovers(scope, 'GET', path), covered))
  }

  test('and only the methods that were signed, as they are written', () => {
    for (const method of ['HEAD', 'get', 'POST', 'DELETE', ''])
      assert.ok(!signatureCovers(scope, method, scope.paths[0] as string))
  })
})
