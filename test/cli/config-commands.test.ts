import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { runHere } from './run-here.ts'

const folder = mkdtempSync(join(tmpdir(), 'zaqar-config-commands-'))
after(() => rmSync(folder, { recursive: true }))

function fileOf(name: string, content: string): string {
  const file = join(folder, name)
  writeFileSync(file, content)
  return file
}

describe('zaqar config print', () => {
  const file = fileOf(
    'zaqar.conf',
    '[DEFAULT]\ndebug = yes\nenable_checksum = false\n[signed_url]\nsecret_key = hunter2\n',
  )

  test('shows what differs from the defaults, and where it comes from', async () => {
    const { code, stdout } = await runHere(['config', 'print', '--config-file', file, '--port', '0'])
    assert.equal(code, 0)
    assert.deepEqual(stdout.trim().split(/ *\n/), [
      `OPTION                         VALUE  FROM`,
      `[DEFAULT] debug                true   ${file}:2`,
      `[drivers:transport:wsgi] port  0      --port`,
      `[signed_url] secret_key        ***    ${file}:5`,
    ])
  })

  test('shows all with --all, and what differs from what was set without a word', async () => {
    const { stdout } = await runHere(['config', 'print', '--config-file', file, '--all', '--json'])
    const options: { option: string; value: unknown; origin: string }[] = JSON.parse(stdout)
    assert.ok(options.length > 150)
    assert.partialDeepStrictEqual(
      options.find(({ option }) => option === 'enable_checksum'),
      { group: 'DEFAULT', value: false, origin: `${file}:3` },
    )
    const { stderr } = await runHere(['config', 'print'], { env: { OS_TRANSPORT__MAX_MESSAGE_TTL: '60' } })
    assert.match(stderr, /^zaqar: \[transport\] default_message_ttl: 3600 is more than max_message_ttl allows/)
  })

  test('says what is wrong where the service would not start', async () => {
    const { code, stderr } = await runHere(['config', 'print', '--port', '70000'])
    assert.equal(code, 1)
    assert.match(stderr, /^zaqar: --port: \[drivers:transport:wsgi\] port: "70000" was given/)
  })
})

test('zaqar config options --json has a row for each option, with its meaning, or why it has no effect', async () => {
  const { code, stdout } = await runHere(['config', 'options', '--json'])
  assert.equal(code, 0)
  const rows: readonly Record<string, string | null>[] = JSON.parse(stdout)
  const row = (option: string) => rows.find((one) => one['option'] === option)
  assert.partialDeepStrictEqual(row('max_message_ttl'), {
    group: 'transport',
    default: '1209600',
    takesEffectAt: 'reload',
    variable: 'OS_TRANSPORT__MAX_MESSAGE_TTL',
    flag: null,
  })
  assert.equal(row('data_dir')?.['flag'], '--data-dir')
  assert.match(row('log_dir')?.['noEffect'] ?? '', /\w/)
})

describe('zaqar config migrate', () => {
  const upstream = fileOf(
    'upstream.conf',
    '[DEFAULT]\nlog_dir = /var/log\n[drivers]\nmessage_store = mongodb\n[signed_url]\nsecret_key = hunter2\n',
  )

  test('prints a configuration that is accepted, and what becomes of each option beside it', async () => {
    const { code, stdout, stderr } = await runHere(['config', 'migrate', upstream])
    assert.equal(code, 0)
    assert.match(stderr, /^no effect +\[DEFAULT\] log_dir /m)
    assert.doesNotMatch(stderr, /hunter2/)
    const check = await runHere(['config', 'check', '--config-file', fileOf('printed.conf', stdout)])
    assert.deepEqual([check.code, check.stdout], [0, `read: ${join(folder, 'printed.conf')}\n`])
  })

  test('writes it for its owner alone, and over nothing that is there', async () => {
    const output = join(folder, 'written.conf')
    const { code, stdout } = await runHere(['config', 'migrate', upstream, '--output', output, '--json'])
    assert.equal(code, 0)
    assert.doesNotMatch(stdout, /hunter2/)
    assert.deepEqual(
      JSON.parse(stdout)
        .options.map(({ outcome }: { outcome: string }) => outcome)
        .join(),
      'added,added,added,no effect,no effect,kept',
    )
    assert.equal(statSync(output).mode & 0o777, 0o600)
    assert.match(readFileSync(output, 'utf8'), /^secret_key = hunter2$/m)
    const again = await runHere(['config', 'migrate', upstream, '--output', output])
    assert.deepEqual([again.code, again.stdout], [1, ''])
    assert.equal(again.stderr, `zaqar: ${output}: it is there already\n`)
  })

  test('ends with 1 and the problems where the result needs a hand', async () => {
    const file = fileOf('refused.conf', '[transport]\nmessage_encryption_key = AES256\n')
    const { code, stdout, stderr } = await runHere(['config', 'migrate', file])
    assert.equal(code, 1)
    assert.match(stdout, /^# .*: \[transport\] message_encryption_key: refused: /m)
    assert.match(stderr, /^zaqar: .*:2: \[transport\] message_encryption_key: left out: AES256, upstream's default/m)
  })
})
