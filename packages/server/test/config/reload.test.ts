import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { reloadConfig } from '../../src/config/reload.ts'
import { load } from './memory.ts'

const configOf = (env: Record<string, string>) => load({ env }).config

describe('a configuration that is read again', () => {
  test('changes nothing when it is the same, secrets and addresses included', () => {
    const env = { OS_STORAGE__URI: 'postgres://a:b@c/d', OS_SIGNED_URL__PREVIOUS_SECRET_KEYS: 'one' }
    const current = configOf(env)
    const { config, changed, waiting } = reloadConfig(current, configOf(env))
    assert.deepEqual([changed, waiting], [[], []])
    assert.deepEqual(config, current)
  })

  test('gives options that reload their latest values, and names those that wait for a restart', () => {
    const current = configOf({})
    const latest = configOf({
      OS_TRANSPORT__MAX_MESSAGES_PER_PAGE: '7',
      OS_CORS__ALLOWED_ORIGIN: 'https://a.example,https://b.example',
      OS_DRIVERS_TRANSPORT_WSGI__PORT: '9999',
    })
    const { config, changed, waiting } = reloadConfig(current, latest)
    assert.deepEqual(changed, ['[transport] max_messages_per_page', '[cors] allowed_origin'])
    assert.deepEqual(waiting, ['[drivers:transport:wsgi] port'])
    assert.equal(config.limits.maxMessagesPerPage, 7)
    assert.deepEqual(config.cors.allowedOrigins, ['https://a.example', 'https://b.example'])
    assert.equal(config.http.port, current.http.port)
  })

  test('sees that a secret is another', () => {
    const of = (password: string) => configOf({ OS_STORAGE__URI: `postgres://a:${password}@c/d` })
    assert.deepEqual(reloadConfig(of('one'), of('other')).waiting, ['[storage] uri'])
  })
})
