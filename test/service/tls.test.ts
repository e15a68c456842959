import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { problemsOf } from '../../packages/server/test/config/memory.ts'
import { makePair, type Pair } from '../../packages/server/test/support/certificates.ts'
import { CLIENT_ID, PROJECT } from '../../packages/server/test/support/test-client.ts'
import { type Service, startService } from '../support/service.ts'

const one = makePair('one')
const two = makePair('two')
let folder: string
let service: Service | null = null

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'zaqar-tls-'))
  put(one)
})

afterEach(async () => {
  await service?.kill()
  service = null
  rmSync(folder, { recursive: true })
})

function put({ cert, key }: Pair): void {
  writeFileSync(join(folder, 'key.pem'), key, { mode: 0o600 })
  writeFileSync(join(folder, 'cert.pem'), cert)
}

function config(more = ''): string {
  return `[ssl]\ncert_file = ${folder}/cert.pem\nkey_file = ${folder}/key.pem\n${more}`
}

interface Answered {
  readonly status: number
  readonly location: string | undefined
  /** Whose certificate was shown. */
  readonly server: string
}

function send(url: string, method: string, path: string, body?: object): Promise<Answered> {
  const headers = { 'Client-ID': CLIENT_ID, 'X-Project-Id': PROJECT, 'X-Roles': 'admin' }
  return new Promise((resolve, reject) => {
    const options = { method, headers, agent: false, ca: [one.cert, two.cert] }
    const sent = request(new URL(path, url), options, (response) => {
      const { subject } = (response.socket as import('node:tls').TLSSocket).getPeerCertificate()
      const { statusCode: status = 0, headers } = response
      response.resume()
      response.on('end', () => resolve({ status, location: headers.location, server: String(subject.CN) }))
    })
    sent.on('error', reject)
    sent.end(body && JSON.stringify(body))
  })
}

describe('the service with a certificate', () => {
  test('serves HTTPS, and takes a certificate that was renewed under it', async () => {
    service = await startService({ config: config() })
    assert.match(service.url, /^https:/)
    const posted = await send(service.url, 'POST', '/v2/queues/a/messages', { messages: [{ body: 1 }] })
    assert.equal(posted.status, 201)
    assert.match(posted.location ?? '', /^\/v2\/queues\/a\/messages/)
    assert.equal(posted.server, 'one')

    put(two)
    for (let server = 'one'; server === 'one'; ) {
      const answer = await send(service.url, 'GET', '/v2/queues')
      assert.equal(answer.status, 200)
      server = answer.server
    }
    assert.match(service.log(), /certificate read again/)
    await service.stop()
  })

  test('serves operators over HTTPS as well', async () => {
    service = await startService({ config: config('[http]\nadmin_port = 0\n') })
    const adminUrl = /Administration +(\S+)/.exec(service.output())?.[1] ?? assert.fail(service.output())
    assert.match(adminUrl, /^https:/)
    assert.equal((await send(adminUrl, 'GET', '/v2/health')).status, 200)
    assert.equal((await send(service.url, 'GET', '/v2/health')).status, 404)
  })

  test('prints lines of curl that work', async () => {
    service = await startService({ config: config() })
    const lines = service.output().match(/curl .*/g) ?? []
    assert.equal(lines.length, 3)
    for (const line of lines) {
      assert.match(execFileSync('sh', ['-c', line], { encoding: 'utf8', stdio: 'pipe' }), /^HTTP\/1\.1 20[01]/)
    }
  })

  test('warns of a private key that everybody can read', async () => {
    chmodSync(join(folder, 'key.pem'), 0o644)
    service = await startService({ config: config() })
    assert.match(service.log(), /every user of this machine can read the private key/)
  })

  test('does not start when key and certificate do not belong together', async () => {
    writeFileSync(join(folder, 'key.pem'), two.key)
    await assert.rejects(startService({ config: config() }), /zaqar: the private key \S+ does not belong to/)
  })

  test('does not start with a file that is not there', async () => {
    rmSync(join(folder, 'key.pem'))
    await assert.rejects(startService({ config: config() }), /zaqar: \[ssl\]: there is no file \S+key\.pem/)
  })
})

test('certificate and key are configured together', () => {
  const problem = (...names: string[]) =>
    problemsOf({ env: Object.fromEntries(names.map((name) => [`OS_SSL__${name}`, '/x.pem'])) })
  assert.deepEqual(problem('CERT_FILE'), ['[ssl] key_file: the private key of the certificate is missing'])
  assert.deepEqual(problem('KEY_FILE'), ['[ssl] cert_file: the certificate of the private key is missing'])
  assert.deepEqual(problem('CA_FILE'), ['[ssl] cert_file: it is missing, so clients cannot be asked for theirs'])
})
