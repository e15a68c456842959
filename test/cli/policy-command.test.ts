import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { ended, zaqar } from '../support/command.ts'

describe('zaqar policy', () => {
  let folder: string

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'zaqar-policy-'))
    writeFileSync(join(folder, 'zaqar.conf'), '')
    writeFileSync(
      join(folder, 'policy.yaml'),
      '"queues:create": "rule:boss or role:maker"\nboss: "role:admin and not user_id:eve"\n',
    )
  })

  after(() => rmSync(folder, { recursive: true }))

  const run = (...args: readonly string[]) =>
    ended(zaqar(['policy', ...args, '--config-file', join(folder, 'zaqar.conf')], folder))

  test('list prints the rules in force, with their places', async () => {
    const { code, stdout } = await run('list')
    assert.equal(code, 0)
    assert.match(stdout, /^queues:create +rule:boss or role:maker {3}\(\S+policy\.yaml:1\)$/m)
    assert.match(stdout, /^health:get +role:admin {3}\(default\)$/m)
    assert.match(stdout, /^queues:get +@ {3}\(default\)$/m)
  })

  test('check says yes, and why', async () => {
    const { code, stdout } = await run('check', '--rule', 'queues:create', '--roles', 'Admin,other', '--user=bob')
    assert.equal(code, 0)
    const lines = stdout.replaceAll(`${folder}/`, '').split('\n')
    assert.deepEqual(lines, [
      'allowed',
      'yes  queues:create: rule:boss or role:maker   (policy.yaml:1)',
      'yes    boss: role:admin and not user_id:eve   (policy.yaml:2)',
      'yes      role:admin',
      'yes      not user_id:eve',
      'no         user_id:eve',
      'no     role:maker',
      '',
    ])
  })

  test('check says no, and ends with 1', async () => {
    const { code, stdout } = await run('check', '--rule', 'queues:create', '--roles', 'admin', '--user', 'eve')
    assert.equal(code, 1)
    assert.match(stdout, /^denied\nno {3}queues:create/)
  })

  test('check knows the holder of a signed URL, who has no roles', async () => {
    const ask = (rule: string) => run('check', '--rule', rule, '--roles', 'maker', '--signed')
    assert.equal((await ask('queues:create')).code, 1)
    assert.equal((await ask('messages:get_all')).code, 0)
  })

  test('both answer JSON', async () => {
    const rules = JSON.parse((await run('list', '--json')).stdout)
    assert.deepEqual(
      rules.find(({ name }: { name: string }) => name === 'health:get'),
      { name: 'health:get', check: 'role:admin', origin: 'default' },
    )
    assert.deepEqual(JSON.parse((await run('check', '--json', '--rule', 'queues:get')).stdout), {
      allowed: true,
      reasons: ['yes  queues:get: @   (default)'],
    })
  })

  test('a rule that nobody knows admits nobody', async () => {
    const { code, stdout } = await run('check', '--rule', 'queue:create')
    assert.deepEqual([code, stdout], [1, 'denied\nno   rule:queue:create, which does not exist\n'])
  })

  test('rules that cannot be used are named, here and at the start', async () => {
    const file = join(folder, 'broken.yaml')
    writeFileSync(file, 'queues:get: "role:a and"\nqueues:create: "rule:gone"\n')
    writeFileSync(join(folder, 'broken.conf'), `[oslo_policy]\npolicy_file = ${file}\n`)
    const config = ['--config-file', join(folder, 'broken.conf')]
    for (const command of [
      ['policy', 'list'],
      ['serve', '--port', '0'],
    ]) {
      const { code, stderr } = await ended(zaqar([...command, ...config], folder))
      assert.equal(code, 1)
      assert.equal(
        stderr,
        'zaqar: the policy has 2 problems\n' +
          `  ${file}:1: queues:get: the rule ends where a check is missing\n` +
          `  ${file}:2: queues:create: it refers to rule:gone, which does not exist\n`,
      )
    }
  })

  test('the command line is explained', async () => {
    assert.match(
      (await ended(zaqar(['policy', '--help'], folder))).stdout,
      /^Usage: zaqar policy .*\n {2}check \[options\]/s,
    )
    for (const wrong of [[], ['check'], ['list', '--rule', 'x'], ['check', '--rule']]) {
      assert.equal((await ended(zaqar(['policy', ...wrong], folder))).code, 2, wrong.join(' '))
    }
  })
})
