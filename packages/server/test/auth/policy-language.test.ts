import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isMet, printCheck } from '../../src/auth/policy/check.ts'
import { parseRule } from '../../src/auth/policy/parse-check.ts'
import { questionOf } from '../../src/auth/policy/policy.ts'
import { createRuleSet } from '../../src/auth/policy/rule-set.ts'
import type { Caller } from '../../src/core/execute.ts'
import { EVERYTHING } from '../../src/core/rules/scope.ts'
import { callerWith } from './caller.ts'

const { rules } = createRuleSet({ defaults: 'upstream', fallback: 'default', fileRules: [] })

function admits(rule: unknown, facts: Partial<Caller> = {}): boolean {
  return isMet(parseRule(rule), questionOf(rules, callerWith(facts)))
}

const carol = { project: 'p1', userId: 'carol', roles: ['member', 'auditor'], userDomainId: 'd1' }

describe('a rule admits', () => {
  const cases: readonly (readonly [rule: unknown, admitted: boolean])[] = [
    ['', true],
    ['@', true],
    ['!', false],
    ['role:member', true],
    ['role:MEMBER', true],
    ['role:admin', false],
    ['role:mem', false],
    ['not role:admin', true],
    ['NOT role:member', false],
    ['not not role:member', true],
    ['role:member and role:auditor', true],
    ['role:member AND role:admin', false],
    ['role:admin or role:auditor', true],
    // and binds closer than or, not closer than both
    ['role:auditor or role:admin and !', true],
    ['! and role:admin or role:auditor', true],
    ['(role:auditor or role:admin) and !', false],
    ['not role:admin and not !', true],
    ['not (role:admin or role:auditor)', false],
    ['((role:member))', true],
    ['user_id:carol', true],
    ['user_id:dave', false],
    ['user:carol and user_domain_id:d1', true],
    ['project_id:%(project_id)s', true],
    ['tenant_id:p1', true],
    ['project_id:p%(project_id)s', false],
    ['project_id:%(missing)s', false],
    ['not project_id:%(missing)s', true],
    ['missing:None', false],
    ['domain_id:None', true],
    ['roles:auditor', true],
    ["'p1':%(project_id)s", true],
    ['"p2":%(project_id)s', false],
    ['True:True', true],
    ['None:%(project_id)s', false],
    ['1:1', true],
    ['role:%(project_id)s', false],
    ['rule:admin_or_owner', true],
    ['rule:context_is_admin', false],
    ['is_admin:True', false],
    ['is_admin:False', true],
    ['signed_url:False', true],
    [[], true],
    [[[]], false],
    [['role:admin', 'role:member'], true],
    [[['role:admin', 'role:member']], false],
    [[['role:auditor', 'role:member'], '!'], true],
    [['@', []], true],
  ]
  for (const [rule, admitted] of cases) {
    test(`${JSON.stringify(rule)}: ${admitted ? 'yes' : 'no'}`, () => assert.equal(admits(rule, carol), admitted))
  }

  test('an administrator, by the rule that says who is one', () => {
    assert.ok(admits('is_admin:True', { roles: ['admin'] }))
    const own = createRuleSet({
      defaults: 'upstream',
      fallback: 'default',
      fileRules: [{ name: 'context_is_admin', check: parseRule('user_id:root or is_admin:True'), origin: 'x:1' }],
    })
    const ask = (userId: string) => isMet(parseRule('is_admin:True'), questionOf(own.rules, callerWith({ userId })))
    assert.deepEqual([ask('root'), ask('carol')], [true, false])
  })

  test('a holder of a signed URL as such', () => {
    assert.ok(admits('signed_url:True', { scope: { ...EVERYTHING, signed: { methods: ['GET'], paths: ['/v2'] } } }))
  })

  test('a service by the roles of its own token', () => {
    assert.ok(admits('service_roles:service', { serviceRoles: ['service'] }))
    assert.ok(!admits('service_roles:service', { roles: ['service'] }))
  })
})

describe('what is no rule is refused:', () => {
  const refused: readonly (readonly [rule: unknown, problem: RegExp])[] = [
    ['   ', /blanks/],
    ['admin', /"admin" is no check/],
    ['role:a or', /a check is missing/],
    ['and role:a', /missing before "and"/],
    ['role:a role:b', /"role:b" does not fit/],
    ['(role:a', /closing parenthesis/],
    ['role:a)', /"\)" does not fit/],
    ['()', /missing before "\)"/],
    ['not', /a check is missing/],
    ['"quoted"', /is no check/],
    ['role:50%', /per cent/],
    ['user_id:%(user_id)d', /after %|no check|%/],
    ['http://example.org/policy', /no other server is asked/],
    [null, /a text or a list/],
    [true, /a text or a list/],
    [{ role: 'a' }, /a text or a list/],
    [[[1]], /texts/],
  ]
  for (const [rule, problem] of refused) {
    test(JSON.stringify(rule), () => assert.throws(() => parseRule(rule), { name: 'PolicyProblem', message: problem }))
  }
})

test('a rule that is printed means the same', () => {
  for (const rule of ['@', 'role:a and (role:b or not role:c)', "'x':%(project_id)s or user_id:a", 'not (@ and !)']) {
    assert.equal(printCheck(parseRule(rule)), rule)
  }
})
