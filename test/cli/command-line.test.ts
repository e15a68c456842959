import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { ended, zaqar } from '../support/command.ts'

const folder = mkdtempSync(join(tmpdir(), 'zaqar-cli-'))
after(() => rmSync(folder, { recursive: true }))
writeFileSync(join(folder, 'wrong.conf'), '[transport]\nmax_mesage_ttl = 1\nmax_claim_ttl = x\n')

const { version } = JSON.parse(readFileSync(new URL('../../packages/server/package.json', import.meta.url), 'utf8'))

const answers: { argv: string[]; stdout: RegExp }[] = [
  { argv: ['--help'], stdout: /^Usage: zaqar COMMAND \[options\]\n.*\n {2}policy +who may do what\n/s },
  { argv: ['--version'], stdout: new RegExp(`^${version}\n$`) },
  { argv: ['serve', '--help'], stdout: / --storage <URI> .*\n/ },
  { argv: ['config', 'options'], stdout: /\[transport\]\ndefault_message_ttl = 3600\n {4}Life of a message/ },
  { argv: ['config', 'options', '--markdown'], stdout: /^# Configuration\n/ },
]

for (const { argv, stdout } of answers) {
  test(`zaqar ${argv.join(' ')} answers`, async () => {
    const result = await ended(zaqar(argv, folder))
    assert.match(result.stdout, stdout)
    assert.deepEqual({ code: result.code, stderr: result.stderr }, { code: 0, stderr: '' })
  })
}

const refusals: { argv: string[]; code: number; stderr: string }[] = [
  { argv: ['sevre'], code: 2, stderr: "zaqar: unknown command 'sevre' (Did you mean serve?); see zaqar --help\n" },
  {
    argv: ['config', 'opts'],
    code: 2,
    stderr: "zaqar: unknown command 'opts' (Did you mean options?); see zaqar config --help\n",
  },
  {
    argv: ['serve', '--bnd', '::1'],
    code: 2,
    stderr: "zaqar: unknown option '--bnd' (Did you mean --bind?); see zaqar serve --help\n",
  },
  {
    argv: ['serve', '--storage', '--debug'],
    code: 2,
    stderr: 'zaqar: --storage needs a value; see zaqar serve --help\n',
  },
  {
    argv: ['serve', '--config-file', 'missing.conf'],
    code: 1,
    stderr: 'zaqar: missing.conf: there is no such file\n',
  },
  {
    argv: ['serve', '--config-file', 'wrong.conf'],
    code: 1,
    stderr: [
      'zaqar: the configuration has 2 problems',
      '  wrong.conf:2: [transport] has no option max_mesage_ttl; did you mean max_message_ttl?',
      '  wrong.conf:3: [transport] max_claim_ttl: "x" was given, ' +
        'allowed is a whole number of seconds from 60 to 9999999999',
      '',
    ].join('\n'),
  },
]

for (const { argv, code, stderr } of refusals) {
  test(`zaqar ${argv.join(' ')} is refused in plain words`, async () => {
    assert.deepEqual(await ended(zaqar(argv, folder)), { code, signal: null, stdout: '', stderr })
  })
}

test('a configuration is checked without a start', async () => {
  writeFileSync(join(folder, 'old.conf'), '[DEFAULT]\nunreliable = true\n[transport]\nmax_message_ttl = 1800\n')
  const check = (...more: string[]) => ended(zaqar(['config', 'check', '--config-file', 'old.conf', ...more], folder))
  const { code, stdout } = await check()
  assert.deepEqual(
    [code, stdout],
    [
      0,
      'read: old.conf\n' +
        'without effect: [DEFAULT] unreliable: concerns MongoDB only\n' +
        '[transport] default_message_ttl: 3600 is more than max_message_ttl allows, so it is 1800\n',
    ],
  )
  assert.deepEqual(JSON.parse((await check('--json')).stdout).sources, ['old.conf'])
  const wrong = await ended(zaqar(['config', 'check', '--config-file', 'wrong.conf'], folder))
  assert.equal(wrong.code, 1)
  assert.match(wrong.stderr, /^zaqar: the configuration has 2 problems\n/)
})

test('where a command lacks its next word, the help says what may come', async () => {
  for (const argv of [[], ['policy']]) {
    const { code, stdout, stderr } = await ended(zaqar(argv, folder))
    assert.deepEqual({ code, stdout }, { code: 2, stdout: '' })
    assert.match(stderr, /^Usage: zaqar /)
  }
})
