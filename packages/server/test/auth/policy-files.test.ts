import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ManualClock } from 'zaqar-conformance'
import { OPERATION_RULES } from '../../src/auth/policy/default-rules.ts'
import { openPolicy } from '../../src/auth/policy/policy.ts'
import { type PolicyFiles, type PolicySettings, readPolicy } from '../../src/auth/policy/policy-source.ts'
import { EVERYTHING } from '../../src/core/rules/scope.ts'
import { allVersions } from '../../src/wire/all-versions.ts'
import { callerWith } from './caller.ts'

const usual: PolicySettings = {
  file: 'policy.yaml',
  folders: ['policy.d'],
  fallback: 'default',
  defaults: 'upstream',
  places: ['/home/op', '/etc/zaqar'],
}

/** Files that exist only here, and can be changed. */
function memory(content: Record<string, string>): PolicyFiles & { content: Record<string, string> } {
  return {
    content,
    readFile(path) {
      return this.content[path] ?? null
    },
    stamp(path) {
      return this.content[path] ?? null
    },
    listFolder(path) {
      const names = Object.keys(this.content).filter((file) => file.startsWith(`${path}/`))
      return names.length === 0 ? null : names.map((name) => name.slice(path.length + 1)).reverse()
    },
  }
}

const read = (content: Record<string, string>, settings: Partial<PolicySettings> = {}) =>
  readPolicy({ ...usual, ...settings }, memory(content))

const origins = (content: Record<string, string>, settings?: Partial<PolicySettings>) =>
  [...read(content, settings).rules.values()].flatMap(({ name, origin }) =>
    origin === null ? [] : [`${name} ${origin}`],
  )

describe('rules come from', () => {
  test('the defaults alone, where there is no file', () => {
    const { rules, problems, warnings, paths } = read({})
    assert.deepEqual([problems, warnings, paths], [[], [], []])
    for (const name of OPERATION_RULES) assert.equal(rules.get(name)?.origin, null, name)
  })

  test('policy.yaml, with file and line', () => {
    const file = '# all comments\n\n"queues:create": "role:a"\nqueues:get: |\n  role:a or\n  role:b\n'
    assert.deepEqual(origins({ '/etc/zaqar/policy.yaml': file }), [
      'queues:create /etc/zaqar/policy.yaml:3',
      'queues:get /etc/zaqar/policy.yaml:4',
    ])
  })

  test('the first folder that has the file', () => {
    const files = { '/home/op/policy.yaml': 'queues:get: "!"', '/etc/zaqar/policy.yaml': 'queues:create: "!"' }
    assert.deepEqual(origins(files), ['queues:get /home/op/policy.yaml:1'])
  })

  test('policy.json, the older form, with its lists and tabs', () => {
    const file = '{\n\t"context_is_admin": [["role:admin"], ["role:boss", "user_id:u1"]],\n\t"queues:get": ""\n}\n'
    assert.deepEqual(origins({ '/etc/zaqar/policy.json': file }), [
      'context_is_admin /etc/zaqar/policy.json:2',
      'queues:get /etc/zaqar/policy.json:3',
    ])
  })

  test('policy.yaml rather than policy.json', () => {
    const files = { '/etc/zaqar/policy.yaml': 'queues:get: "!"', '/etc/zaqar/policy.json': '{"queues:create": "!"}' }
    assert.deepEqual(origins(files), ['queues:get /etc/zaqar/policy.yaml:1'])
  })

  test('the folder as well, by name, later files winning', () => {
    const files = {
      '/etc/zaqar/policy.yaml': 'queues:get: "!"\nqueues:create: "!"',
      '/etc/zaqar/policy.d/b.yaml': 'queues:get: "role:b"',
      '/etc/zaqar/policy.d/a.json': '{"queues:get": "role:a"}',
      '/etc/zaqar/policy.d/.hidden': 'queues:get: "role:hidden"',
    }
    assert.deepEqual(origins(files), [
      'queues:create /etc/zaqar/policy.yaml:2',
      'queues:get /etc/zaqar/policy.d/b.yaml:1',
    ])
  })

  test('a file that is only comments, or empty', () => {
    for (const file of ['', '# "queues:get": ""\n', '---\n']) {
      assert.deepEqual(read({ '/etc/zaqar/policy.yaml': file }).problems, [])
    }
  })
})

describe('rules are refused', () => {
  const refused: readonly (readonly [name: string, file: string, problem: RegExp])[] = [
    ['that are no YAML', 'queues:get: "role:a\n', /policy\.yaml:\d: /],
    ['that stand twice', 'queues:get: ""\nqueues:get: "!"\n', /policy\.yaml:2: .*unique/],
    ['that are no rules', '\n"queues:get": "role:a and"\n', /policy\.yaml:2: queues:get: .*missing/],
    ['that are empty by mistake', 'queues:get:\n', /policy\.yaml:1: queues:get: a rule is a text or a list/],
    ['in a file of another kind', '- queues:get\n', /policy\.yaml: a policy file holds/],
    [
      'that refer to nothing',
      'queues:get: "rule:owner"\n',
      /policy\.yaml:1: queues:get: .*rule:owner, which does not exist/,
    ],
    [
      'that refer to themselves',
      'a: "rule:b"\nb: "not rule:a"\n',
      /policy\.yaml:1: a: it refers to itself, by a, b, a/,
    ],
  ]
  for (const [name, file, problem] of refused) {
    test(name, () => {
      const [first, ...others] = read({ '/etc/zaqar/policy.yaml': file }).problems
      assert.match(first ?? '', problem)
      assert.ok(others.length <= 1)
    })
  }

  test('when the file that is named is not there', () => {
    assert.deepEqual(read({}, { file: '/etc/zaqar/rules.yaml' }).problems, [
      '[oslo_policy] policy_file: there is no /etc/zaqar/rules.yaml',
    ])
  })
})

test('a rule that is missing is stood in for by the one that is named for it', () => {
  const { rules, problems } = read({ '/etc/zaqar/policy.yaml': 'queues:get: "rule:owner"\ndefault: "!"\n' })
  assert.deepEqual(problems, [])
  assert.equal(rules.get('owner')?.check.kind, 'never')
})

test('a rule for an operation that does not exist is a warning', () => {
  assert.deepEqual(read({ '/etc/zaqar/policy.yaml': 'queue:get: "!"\nhelper: "@"\n' }).warnings, [
    '/etc/zaqar/policy.yaml:1: queue:get: there is no such operation, and no rule refers to it',
  ])
})

describe('a policy that is open', () => {
  const opened = (files: PolicyFiles) => {
    const clock = new ManualClock()
    const told: string[] = []
    const reports = {
      warned: (text: string) => told.push(`warned: ${text}`),
      reloaded: (paths: readonly string[]) => told.push(`reloaded: ${paths}`),
      refused: (problems: readonly string[]) => told.push(`refused: ${problems}`),
    }
    const policy = openPolicy(usual, { files, clock, reports })
    return { policy, clock, told, may: (rule: string) => policy.authorise(rule, callerWith({ roles: ['member'] })) }
  }

  test('follows its files within a second', () => {
    const files = memory({})
    const { may, clock, told, policy } = opened(files)
    assert.ok(may('queues:get'))
    files.content['/etc/zaqar/policy.yaml'] = 'queues:get: "!"'
    assert.ok(may('queues:get'))
    clock.advance(1000)
    assert.ok(!may('queues:get'))
    files.content['/etc/zaqar/policy.d/more.yaml'] = 'queues:get: "role:member"'
    clock.advance(1000)
    assert.ok(may('queues:get'))
    files.content['/etc/zaqar/policy.d/more.yaml'] = 'queues:create: "role:member"'
    clock.advance(1000)
    assert.ok(!may('queues:get'))
    assert.equal(told.length, 3)
    policy.close()
    files.content['/etc/zaqar/policy.yaml'] = 'queues:get: ""'
    clock.advance(5000)
    assert.ok(!may('queues:get'))
  })

  const denies = { '/etc/zaqar/policy.yaml': '"queues:get": "!"', '/etc/zaqar/policy.d/a.yaml': '"queues:create": "!"' }
  const lost: readonly (readonly [what: string, left: Record<string, string>, problem: RegExp])[] = [
    ['is emptied', { ...denies, '/etc/zaqar/policy.yaml': '' }, /policy\.yaml: it holds no rules any more/],
    [
      'keeps comments alone',
      { ...denies, '/etc/zaqar/policy.yaml': '# "queues:get": "!"\n' },
      /holds no rules any more/,
    ],
    [
      'keeps an empty document',
      { ...denies, '/etc/zaqar/policy.d/a.yaml': '{}' },
      /a\.yaml: it holds no rules any more/,
    ],
    [
      'is moved away',
      { '/etc/zaqar/policy.d/a.yaml': denies['/etc/zaqar/policy.d/a.yaml'] },
      /it is not there any more/,
    ],
    [
      'goes with its folder',
      { '/etc/zaqar/policy.yaml': denies['/etc/zaqar/policy.yaml'] },
      /a\.yaml: it is not there/,
    ],
    ['goes with all others', {}, /policy\.yaml: it is not there any more.*a\.yaml: it is not there any more/],
    [
      'is hidden by an empty one',
      { ...denies, '/home/op/policy.yaml': '' },
      /\/etc.*policy\.yaml: it is not there any more/,
    ],
    [
      'is hidden by another folder',
      { ...denies, '/home/op/policy.d/b.yaml': 'x: "@"' },
      /\/etc.*a\.yaml: it is not there/,
    ],
  ]
  for (const [what, left, problem] of lost) {
    test(`stays in force when a file with rules ${what}, until one with rules is back`, () => {
      const files = memory(denies)
      const { may, clock, told } = opened(files)
      files.content = left
      clock.advance(10_000)
      assert.deepEqual([may('queues:get'), may('queues:create')], [false, false])
      assert.equal(told.length, 1, 'it is said once')
      assert.match(told[0] ?? '', /^refused: /)
      assert.match(told[0] ?? '', problem)
      files.content = { ...left, '/home/op/policy.d/c.yaml': '"queues:get": ""' }
      clock.advance(1000)
      assert.deepEqual([may('queues:get'), told.length], [false, 2], 'and again when files change')
      files.content = { ...denies, '/etc/zaqar/policy.yaml': '"queues:get": "role:member"' }
      clock.advance(1000)
      assert.deepEqual([may('queues:get'), may('queues:create')], [true, false])
      assert.match(told[2] ?? '', /^reloaded: /)
    })
  }

  test('stays in force when its files cannot be read any more', () => {
    const files = memory(denies)
    let isReadable = true
    const refuse = (): never => {
      throw new Error('EACCES: permission denied')
    }
    const { may, clock, told } = opened({
      readFile: (path) => (isReadable ? files.readFile(path) : refuse()),
      stamp: (path) => files.stamp(path),
      listFolder: (path) => (isReadable ? files.listFolder(path) : refuse()),
    })
    isReadable = false
    clock.advance(10_000)
    assert.deepEqual([may('queues:get'), may('queues:create'), told.length], [false, false, 1])
    assert.match(told[0] ?? '', /^refused: .*EACCES/)
  })

  test('keeps its rules when the changed ones cannot be used, and says so once', () => {
    const files = memory({ '/etc/zaqar/policy.yaml': 'queues:get: "!"' })
    const { may, clock, told } = opened(files)
    files.content['/etc/zaqar/policy.yaml'] = 'queues:get: "role:"or'
    clock.advance(10_000)
    assert.ok(!may('queues:get'))
    assert.equal(told.length, 1)
    assert.match(told[0] ?? '', /^refused: \/etc\/zaqar\/policy\.yaml:1: /)
  })

  test('does not open without files whose rules were in force in another process', () => {
    const needed = ['/etc/zaqar/policy.yaml', '/etc/zaqar/policy.d/a.yaml']
    const reports = { warned() {}, reloaded() {}, refused() {} }
    const open = (files: PolicyFiles) => openPolicy(usual, { files, clock: new ManualClock(), reports, needed })
    open(memory(denies)).close()
    assert.throws(
      () => open(memory({ ...denies, '/etc/zaqar/policy.yaml': '' })),
      /policy\.yaml: it holds no rules any more/,
    )
    assert.throws(() => open(memory({})), { name: 'PolicyError' })
  })

  test('does not open with rules that cannot be used', () => {
    assert.throws(() => opened(memory({ '/etc/zaqar/policy.yaml': 'queues:get: "role"' })), { name: 'PolicyError' })
  })

  test('admits nobody to what has no rule', () => {
    assert.ok(!opened(memory({})).may('queues:frobnicate'))
  })
})

describe('the default rules', () => {
  const decide = (defaults: PolicySettings['defaults'], rule: string, facts: Parameters<typeof callerWith>[0]) =>
    openPolicy(
      { ...usual, defaults },
      {
        files: memory({}),
        clock: new ManualClock(),
        reports: { warned() {}, reloaded() {}, refused() {} },
      },
    ).authorise(rule, callerWith(facts))
  const admitted = (defaults: PolicySettings['defaults'], facts: Parameters<typeof callerWith>[0]) =>
    OPERATION_RULES.filter((rule) => decide(defaults, rule, facts))

  test('guard every operation that has a door', () => {
    for (const { operation } of allVersions.flatMap(({ doors }) => doors))
      assert.ok(OPERATION_RULES.includes(operation.permission), operation.permission)
  })

  test('of upstream keep only administration from everybody', () => {
    const refused = OPERATION_RULES.filter((rule) => !admitted('upstream', {}).includes(rule))
    assert.deepEqual(refused, [
      'health:get',
      'metrics:get',
      'pools:get_all',
      'pools:create',
      'pools:get',
      'pools:update',
      'pools:delete',
      'pools:drain',
      'pools:rebalance',
      'flavors:create',
      'flavors:update',
      'flavors:delete',
    ])
    assert.deepEqual(admitted('upstream', { roles: ['admin'] }), OPERATION_RULES)
  })

  test('of personas let a reader read, a member work, and an admin administrate', () => {
    const reads = /:(get|get_all|stats)$/
    const administrates = /^(health|metrics|pools):|^flavors:(create|update|delete)/
    assert.deepEqual(admitted('personas', {}), ['ping:get', 'permissions:get'])
    assert.deepEqual(
      admitted('personas', { roles: ['reader'] }),
      OPERATION_RULES.filter((rule) => reads.test(rule) && !administrates.test(rule)),
    )
    assert.deepEqual(
      admitted('personas', { roles: ['member'] }),
      OPERATION_RULES.filter((rule) => !administrates.test(rule)),
    )
    assert.deepEqual(admitted('personas', { roles: ['admin'] }), OPERATION_RULES)
  })

  test('of personas leave a signed URL to what was signed', () => {
    const scope = { ...EVERYTHING, signed: { methods: ['POST'], paths: ['/v2/queues/q/messages'] } }
    assert.deepEqual(admitted('personas', { scope }), admitted('personas', { roles: ['member'] }))
  })
})
