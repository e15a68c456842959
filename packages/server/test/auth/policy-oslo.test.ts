import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { isMet } from '../../src/auth/policy/check.ts'
import { parseRule } from '../../src/auth/policy/parse-check.ts'
import { questionOf } from '../../src/auth/policy/policy.ts'
import { createRuleSet } from '../../src/auth/policy/rule-set.ts'
import { callerWith } from './caller.ts'

const script = fileURLToPath(new URL('oslo_policy_answers.py', import.meta.url))
const python = '/usr/bin/python3'
const isThere = spawnSync(python, ['-c', 'import oslo_policy'], { stdio: 'ignore' }).status === 0

const checks = [
  '@',
  '!',
  'role:member',
  'ROLE:member',
  'role:Admin',
  'role:%(project_id)s',
  'rule:owner',
  'rule:nobody',
  'rule:missing',
  'user_id:u1',
  'user_id:u2',
  'project_id:%(project_id)s',
  'project_id:x%%(project_id)s',
  'user_id:%(missing)s',
  'missing:u1',
  'system_scope:None',
  'roles:member',
  'is_admin:False',
  'True:True',
  "'p1':%(project_id)s",
  '"p1":p1',
  '1:1',
  'None:None',
]
const check = fc.constantFrom(...checks)
const { rule } = fc.letrec<{ rule: string }>((tie) => ({
  rule: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    check,
    tie('rule').map((inner) => `(${inner})`),
    tie('rule').map((inner) => `not (${inner})`),
    check.map((inner) => `not ${inner}`),
    fc.tuple(tie('rule'), fc.constantFrom('and', 'or', 'AND', ' Or '), tie('rule')).map((parts) => parts.join(' ')),
  ),
}))
const lists = fc.array(fc.oneof(check, fc.array(check, { maxLength: 3 })), { maxLength: 3 })

test('any rule decides as oslo.policy does', {
  skip: !isThere && 'oslo.policy is not installed (Debian package keystone)',
}, () => {
  const questions = fc.sample<unknown>(fc.oneof({ weight: 4, arbitrary: rule }, lists), 3000)
  const fileRules = { owner: 'user_id:u1', nobody: '!' }
  const credentials = {
    roles: ['member', 'reader'],
    user_id: 'u1',
    project_id: 'p1',
    system_scope: null,
    is_admin: false,
  }
  const input = JSON.stringify({ rules: fileRules, target: { project_id: 'p1' }, credentials, questions })
  const { stdout, stderr, status } = spawnSync(python, [script], { input, encoding: 'utf8', maxBuffer: 1e8 })
  assert.equal(status, 0, stderr)
  const answers = JSON.parse(stdout) as boolean[]
  const { rules } = createRuleSet({
    defaults: 'upstream',
    fallback: 'default',
    fileRules: Object.entries(fileRules).map(([name, text]) => ({ name, check: parseRule(text), origin: 'x:1' })),
  })
  const question = questionOf(rules, callerWith({ roles: credentials.roles, userId: 'u1' }))
  for (const [index, asked] of questions.entries()) {
    assert.equal(isMet(parseRule(asked), question), answers[index], JSON.stringify(asked))
  }
  assert.ok(answers.includes(true) && answers.includes(false))
})
