import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Origins } from '../../src/http/origins.ts'

const PAGE = 'https://page.example'

describe('an upgrade', () => {
  const status = (origins: Origins, headers: Record<string, string>) => origins.objectionTo(headers)?.status ?? null

  test('without authentication is for pages of known hosts, of the same origin or an allowed one', () => {
    const origins = new Origins({ hosts: ['zaqar.example'], allowedOrigins: [PAGE] })
    const outcomes: [Record<string, string>, number | null][] = [
      [{ host: 'localhost:8888' }, null],
      [{ host: 'zaqar.example', origin: 'https://zaqar.example' }, null],
      [{ host: 'zaqar.example', origin: PAGE }, null],
      [{ host: 'zaqar.example', origin: 'https://other.example' }, 403],
      [{ host: 'zaqar.example', origin: 'null' }, 403],
      [{ host: 'other.example', origin: 'http://other.example' }, 403],
      [{ host: 'other.example' }, 403],
    ]
    for (const [headers, expected] of outcomes)
      assert.equal(status(origins, headers), expected, JSON.stringify(headers))
  })

  test('with authentication is for pages of any host', () => {
    const origins = new Origins({ hosts: ['*'], allowedOrigins: [PAGE] })
    const outcomes: [Record<string, string>, number | null][] = [
      [{ host: 'other.example' }, null],
      [{ host: 'other.example', origin: 'http://other.example' }, null],
      [{ host: 'behind-a-proxy', origin: 'https://zaqar.example', 'sec-fetch-site': 'same-origin' }, null],
      [{ host: 'other.example', origin: PAGE }, null],
      [{ host: 'other.example', origin: 'https://evil.example' }, 403],
      [{ host: 'other.example', origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }, 403],
    ]
    for (const [headers, expected] of outcomes)
      assert.equal(status(origins, headers), expected, JSON.stringify(headers))
  })

  test('is for all pages where any origin is allowed', () => {
    const origins = new Origins({ hosts: ['*'], allowedOrigins: ['*'] })
    assert.equal(status(origins, { host: 'zaqar.example', origin: PAGE }), null)
  })
})
