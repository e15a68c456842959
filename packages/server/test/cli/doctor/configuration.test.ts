import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { checkConfiguration } from '../../../src/cli/doctor/configuration.ts'
import { load } from '../../config/memory.ts'
import { found, troubles } from './found.ts'

const KEYSTONE = {
  OS_DEFAULT__AUTH_STRATEGY: 'keystone',
  OS_KEYSTONE_AUTHTOKEN__AUTH_URL: 'https://keystone.example:5000',
  OS_KEYSTONE_AUTHTOKEN__AUTH_TYPE: 'password',
  OS_KEYSTONE_AUTHTOKEN__USERNAME: 'zaqar',
  OS_KEYSTONE_AUTHTOKEN__PASSWORD: 'hunter2',
}

const folder = mkdtempSync(join(tmpdir(), 'zaqar-doctor-'))
after(() => rmSync(folder, { recursive: true }))

test('defaults, and Keystone at an address that is encrypted, are well', async () => {
  assert.deepEqual(await found((findings) => checkConfiguration(findings, load({}))), [
    'ok: nothing is configured: the defaults hold',
  ])
  assert.deepEqual(await troubles((findings) => checkConfiguration(findings, load({ env: KEYSTONE }))), [])
})

const dangerous: readonly (readonly [Readonly<Record<string, string>>, readonly RegExp[]])[] = [
  [
    { OS_DEFAULT__UNRELIABLE: 'true' },
    [/^warning: no effect: \[DEFAULT\] unreliable: concerns MongoDB only -> take it out/],
  ],
  [
    { OS_TRANSPORT__MAX_MESSAGE_TTL: '1800' },
    [/^warning: .*default_message_ttl: 3600 is more than max_message_ttl allows/],
  ],
  [
    { ...KEYSTONE, OS_KEYSTONE_AUTHTOKEN__AUTH_URL: 'http://keystone.example:5000' },
    [/^warning: the service password and all tokens go to http:\/\/keystone\.example:5000 without encryption -> /],
  ],
  [{ ...KEYSTONE, OS_KEYSTONE_AUTHTOKEN__INSECURE: 'true' }, [/^warning: \[keystone_authtoken\] insecure: /]],
  [{ OS_HTTP__CREDENTIALS_IN_QUERY: 'true' }, [/^warning: \[http\] credentials_in_query: /]],
  [
    { OS_CORS__ALLOWED_ORIGIN: '*', OS_CORS__ALLOW_CREDENTIALS: 'true' },
    [/^warning: \[cors\]: pages of all origins may use the credentials/],
  ],
  [
    {
      OS_DRIVERS_TRANSPORT_WSGI__BIND: '0.0.0.0',
      OS_HTTP__EXPOSE_WITHOUT_AUTHENTICATION: 'true',
      OS_HTTP__ALLOWED_HOSTS: '*',
    },
    [
      /^warning: nobody is asked who he is, and other machines may reach 0\.0\.0\.0/,
      /^warning: \[http\] allowed_hosts is \*: /,
    ],
  ],
  [{ OS_STORAGE__URI: 'postgres://zaqar:hunter2@db/zaqar' }, [/^warning: each node signs URLs with a key of its own/]],
  [
    { OS_DRIVERS_TRANSPORT_WSGI__WORKERS: '2' },
    [/^error: 2 workers, but one process alone can have the file of SQLite/],
  ],
]
for (const [env, expected] of dangerous) {
  const [name, value] = Object.entries(env).at(-1) as [string, string]
  test(`${name}=${value.replace('hunter2', '***')} is told of`, async () => {
    const lines = await troubles((findings) => checkConfiguration(findings, load({ env })))
    assert.equal(lines.length, expected.length, lines.join('\n'))
    for (const [index, pattern] of expected.entries()) assert.match(lines[index] as string, pattern)
    assert.doesNotMatch(lines.join('\n'), /hunter2/)
  })
}

test('a file that everybody can read must hold no password', async () => {
  const path = join(folder, 'zaqar.conf')
  const looked = async (text: string, mode: number) => {
    writeFileSync(path, text)
    chmodSync(path, mode)
    const loaded = { ...load({}), sources: [path] }
    return troubles((findings) => checkConfiguration(findings, loaded))
  }
  for (const secret of [
    '[keystone_authtoken]\npassword = hunter2\n',
    '[transport]\nmessage_encryption_previous_keys = hunter2\n',
    '[storage]\nuri = postgres://zaqar:hunter2@db/zaqar\n',
  ]) {
    const [line, ...others] = await looked(secret, 0o644)
    assert.equal(
      line,
      `warning: every user of this machine can read ${path}, which holds a password or a key -> chmod o= ${path}`,
    )
    assert.deepEqual(others, [])
    assert.deepEqual(await looked(secret, 0o640), [])
  }
  assert.deepEqual(await looked('[storage]\nuri = postgres://zaqar@db/zaqar\n', 0o644), [])
})

test('a policy that cannot be used is an error', async () => {
  const path = join(folder, 'policy.yaml')
  writeFileSync(path, '"queues:create": "(role:admin"\n')
  const [line] = await troubles((findings) =>
    checkConfiguration(findings, load({ env: { OS_OSLO_POLICY__POLICY_FILE: path } })),
  )
  assert.match(line ?? '', /^error: policy: .*policy\.yaml/)
})
