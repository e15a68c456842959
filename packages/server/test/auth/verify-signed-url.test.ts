import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { verifySignedUrl } from '../../src/auth/verify-signed-url.ts'
import { objectionTo, type SignedUrl } from '../../src/core/identity.ts'
import { formatIsoTime } from '../../src/core/rules/iso-time.ts'
import { createUrlSigner, signatureCovers } from '../../src/core/rules/signature.ts'
import { ShownInHeaders } from '../../src/http/shown.ts'

const signer = createUrlSigner(['k'])

/** Few values, so that what is shown is often what was signed, or next to it. */
const terms = fc.record({
  methods: fc.subarray(['GET', 'POST', 'DELETE', 'get'], { minLength: 1, maxLength: 2 }),
  paths: fc.subarray(['/v2/queues/a.b/messages', '/v2/queues/aXb/messages', '/v2/queues/a.b/claims'], {
    minLength: 1,
    maxLength: 2,
  }),
  project: fc.constantFrom('red', 'blue', 'Red', 'red '),
  expiresAt: fc.constantFrom(0, 1, 60, 3600).map((seconds) => Date.UTC(2026, 2, 1) + seconds * 1000),
})
const request = fc.record({
  method: fc.constantFrom('GET', 'POST', 'DELETE', 'get', 'HEAD', 'PUT', ''),
  path: fc
    .array(fc.constantFrom('v2', 'queues', 'a.b', 'aXb', 'messages', 'claims', '1', '..', ''), { maxLength: 6 })
    .map((segments) => `/${segments.join('/')}`),
  now: fc.integer({ min: -1, max: 3601 }).map((seconds) => Date.UTC(2026, 2, 1) + seconds * 1000),
})
/** Requests that the signature was made for, more often than chance would make them. */
const fitting = fc.record({
  method: fc.constantFrom('GET', 'POST'),
  path: fc.constantFrom('/v2/queues/a.b/messages', '/v2/queues/a.b/messages/1', '/v2/queues/aXb/messages'),
  now: fc.constantFrom(0, 1, 59.999, 60).map((seconds) => Date.UTC(2026, 2, 1) + seconds * 1000),
})
type Terms = typeof terms extends fc.Arbitrary<infer Value> ? Value : never

function sign({ expiresAt, ...scope }: Terms): string {
  return signer.sign({ ...scope, expires: formatIsoTime(expiresAt) }) as string
}

function isSame(one: Terms, other: Terms): boolean {
  const normal = ({ methods, paths, ...rest }: Terms) => ({
    ...rest,
    methods: methods.toSorted(),
    paths: paths.toSorted(),
  })
  return JSON.stringify(normal(one)) === JSON.stringify(normal(other))
}

function isBelow(path: string, signed: string): boolean {
  const [segments, wanted] = [path.split('/'), signed.split('/')]
  return wanted.every((segment, index) => segments[index] === segment)
}

test('a request is let in exactly where method, path, project and time are what was signed', () => {
  let accepted = 0
  fc.assert(
    fc.property(
      terms,
      fc.option(terms, { nil: null, freq: 3 }),
      fc.oneof(request, { arbitrary: fitting, weight: 3 }),
      (signed, altered, { now, ...asked }) => {
        const { methods, paths, project, expiresAt } = altered ?? signed
        const headers = {
          'url-signature': sign(signed),
          'url-methods': methods.join(','),
          'url-paths': paths.join(','),
          'url-expires': formatIsoTime(expiresAt),
          'x-project-id': project,
        }
        const { signed: shown } = new ShownInHeaders(headers)
        const identity = verifySignedUrl(shown as SignedUrl, signer, now)
        const answer = 'unauthenticated' in identity ? identity : (objectionTo(identity, asked, now) ?? identity)
        const isRight =
          isSame(signed, altered ?? signed) &&
          signed.methods.includes(asked.method) &&
          signed.paths.some((path) => isBelow(asked.path, path)) &&
          now < signed.expiresAt
        assert.equal('unauthenticated' in answer, !isRight)
        if ('unauthenticated' in answer) return
        accepted++
        assert.deepEqual([answer.project, answer.roles, answer.userId], [signed.project, [], null])
      },
    ),
    { numRuns: 5000 },
  )
  assert.ok(accepted > 50, `only ${accepted} were let in`)
})

test('a path is covered by whole segments, whatever they hold', () => {
  const segment = fc.stringMatching(/^[a-c.*%\\]{0,2}$/)
  const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => `/${segments.join('/')}`)
  fc.assert(
    fc.property(path, path, (signed, asked) => {
      assert.equal(signatureCovers({ methods: ['GET'], paths: [signed] }, 'GET', asked), isBelow(asked, signed))
    }),
    { numRuns: 5000 },
  )
})
