import assert from 'node:assert/strict'
import { test } from 'node:test'
import { effectiveOptions } from '../../src/config/effective.ts'
import { KEYSTONE } from '../support/keystone-settings.ts'
import { type Given, load } from './memory.ts'

/** What differs from its default, as `[group] option` to value and origin. */
function different(given: Given): Record<string, [value: unknown, origin: string]> {
  return Object.fromEntries(
    effectiveOptions(load(given))
      .filter(({ isDefault }) => !isDefault)
      .map(({ group, option, value, origin }) => [`[${group}] ${option}`, [value, origin]]),
  )
}

const file = '/etc/zaqar/zaqar.conf'

test('each value that differs from its default is shown with the place that it comes from', () => {
  const content =
    '[DEFAULT]\ndebug = false\n[limits:transport]\nclaim_ttl_max = 600\n[oslo_policy]\npolicy_dirs = a\npolicy_dirs = b\n'
  assert.deepEqual(
    different({
      files: { [file]: content },
      env: { OS_CORS__MAX_AGE: '5' },
      argv: ['--port', '9', '--data-dir', '/d'],
    }),
    {
      '[DEFAULT] data_dir': ['/d', '--data-dir'],
      '[transport] max_claim_ttl': [600, `${file}:4`],
      '[drivers:transport:wsgi] port': [9, '--port'],
      '[storage] uri': ['sqlite:/d/zaqar.db', 'default'],
      '[oslo_policy] policy_dirs': ['a\nb', `${file}:6, ${file}:7`],
      '[cors] max_age': [5, 'OS_CORS__MAX_AGE'],
    },
  )
})

test('a value is shown as it is in force, not as it was set', () => {
  const shown = different({
    files: { [file]: '[transport]\nmax_message_ttl = 60\n[drivers]\ntransport = websocket\n' },
  })
  assert.deepEqual(shown['[transport] default_message_ttl'], [60, 'default'])
  assert.deepEqual(shown['[drivers:transport:websocket] port'], [9000, 'default'])
})

test('no secret is shown, whatever option holds it', () => {
  const secret = 'hunter2'
  const options = effectiveOptions(
    load({
      env: {
        ...KEYSTONE,
        OS_KEYSTONE_AUTHTOKEN__PASSWORD: secret,
        OS_KEYSTONE_AUTHTOKEN__CAFILE: '/$password/x',
        OS_STORAGE__URI: `postgres://z:${secret}@db,db2:6432/zaqar?sslmode=verify-full`,
        OS_SIGNED_URL__SECRET_KEY: secret,
        OS_SIGNED_URL__PREVIOUS_SECRET_KEYS: `${secret}\n${secret}`,
        OS_TRANSPORT__MESSAGE_ENCRYPTION_KEY: secret,
        OS_METRICS__SCRAPE_TOKEN: secret,
        OS_NOTIFICATION__PROXY_URL: `http://z:${secret}@proxy`,
        OS_NOTIFICATION__PUBLIC_URL: `http://z:${secret}@public`,
        OS_NOTIFICATION__SMTP_HOST: 'mail',
        OS_NOTIFICATION__SMTP_USER_NAME: 'z',
        OS_NOTIFICATION__SMTP_USER_PASSWORD: secret,
      },
    }),
  )
  assert.doesNotMatch(JSON.stringify(options), /hunter/)
  const shown = (name: string) => options.find(({ option }) => option === name)?.value
  assert.equal(shown('uri'), 'postgres://db,db2/zaqar')
  assert.equal(shown('cafile'), '/***/x')
  assert.equal(shown('public_url'), 'http://***@public')
  assert.equal(shown('secret_key'), '***')
  assert.equal(
    options.find(({ option, group }) => option === 'scrape_token' && group === 'metrics')?.origin,
    'OS_METRICS__SCRAPE_TOKEN',
  )
})
