import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expiryOf, readSignedUrlFile, SignedUrlFileError } from '../../src/cli/signed-url-file.ts'

const signed = {
  signature: 'a1',
  project: 'demo',
  methods: ['GET'],
  paths: ['/v2/queues/jobs/messages'],
  expires: '2099-01-01T00:00:00',
}
const file = { url: 'http://127.0.0.1:8888', queue: 'jobs', signed }

function read(document: unknown) {
  return readSignedUrlFile('jobs.json', typeof document === 'string' ? document : JSON.stringify(document))
}

test('a file is read, with or without a queue for answers', () => {
  assert.deepEqual(read(file), { ...file, reply: null })
  const reply = { queue: 'answers', signed }
  assert.deepEqual(read({ ...file, reply }), { ...file, reply })
  assert.equal(expiryOf(read(file)), Date.UTC(2099, 0, 1))
})

const refusals: [unknown, string][] = [
  ['', 'it is no JSON'],
  ['{"url": ', 'it is no JSON'],
  [[], 'it must be an object'],
  [{ ...file, url: undefined }, 'url is missing'],
  [{ ...file, url: 'cloud.example' }, 'url must be an address, such as http://127.0.0.1:8888'],
  [{ ...file, url: 'ftp://cloud.example' }, 'url must be an address, such as http://127.0.0.1:8888'],
  [{ ...file, queue: 'a/b' }, 'queue must be the name of a queue'],
  [{ ...file, queue: 7 }, 'queue must be a text'],
  [{ ...file, signed: null }, 'signed is missing'],
  [{ ...file, signed: { ...signed, signature: '' } }, 'signed.signature must be a text'],
  [{ ...file, signed: { ...signed, methods: 'GET' } }, 'signed.methods must be a list of texts'],
  [{ ...file, signed: { ...signed, paths: ['/', 1] } }, 'signed.paths[1] must be a text'],
  [{ ...file, signed: { ...signed, expires: 'soon' } }, 'signed.expires must be a time, such as 2030-01-31T12:00:00'],
  [{ ...file, reply: { queue: 'answers' } }, 'reply.signed is missing'],
  [{ ...file, reply: 'answers' }, 'reply must be an object'],
]

for (const [document, problem] of refusals) {
  test(`a file is refused with: ${problem}: ${JSON.stringify(document)}`, () => {
    assert.throws(() => read(document), new SignedUrlFileError(`jobs.json: ${problem}`))
  })
}

test('a file that is not there is said to be so', () => {
  assert.throws(() => readSignedUrlFile('jobs.json', null), new SignedUrlFileError('jobs.json: there is no such file'))
})
