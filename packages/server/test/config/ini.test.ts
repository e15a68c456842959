import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadFile, problemsOf } from './memory.ts'

/** Each file sets the data folder, an option that takes any text. */
const values: { name: string; file: string; dataDir: string }[] = [
  { name: 'an equals sign', file: '[DEFAULT]\ndata_dir = /a b', dataDir: '/a b' },
  { name: 'a colon', file: '[DEFAULT]\ndata_dir: /a', dataDir: '/a' },
  { name: 'the first of both separates', file: '[DEFAULT]\ndata_dir = /a:b=c', dataDir: '/a:b=c' },
  { name: 'no space around the sign', file: '[DEFAULT]\ndata_dir=/a', dataDir: '/a' },
  { name: 'line ends of Windows', file: '[DEFAULT]\r\ndata_dir = /a\r\n', dataDir: '/a' },
  { name: 'a byte order mark', file: '\uFEFF[DEFAULT]\ndata_dir = /a', dataDir: '/a' },
  { name: 'comments of both kinds', file: '# x\n[DEFAULT]\n; data_dir = /b\ndata_dir = /a\n#y', dataDir: '/a' },
  { name: 'a sign of comments inside of a value', file: '[DEFAULT]\ndata_dir = /a # b;c', dataDir: '/a # b;c' },
  { name: 'double quotes', file: '[DEFAULT]\ndata_dir = " /a "', dataDir: ' /a ' },
  { name: 'single quotes', file: "[DEFAULT]\ndata_dir = '/a'", dataDir: '/a' },
  { name: 'a quote on one side', file: '[DEFAULT]\ndata_dir = "/a', dataDir: '"/a' },
  { name: 'a value that goes on', file: '[DEFAULT]\ndata_dir = /a\n   b\n\tc\n', dataDir: '/a\nb\nc' },
  { name: 'a value that goes on after nothing', file: '[DEFAULT]\ndata_dir =\n  /a\n', dataDir: '\n/a' },
  { name: 'the last of several', file: '[DEFAULT]\ndata_dir = /a\n[http]\n[DEFAULT]\ndata_dir = /b', dataDir: '/b' },
  { name: 'a reference', file: '[DEFAULT]\ndata_dir = /x/$auth_strategy/y', dataDir: '/x//y' },
  { name: 'a reference in braces', file: `[DEFAULT]\ndata_dir = /x/\${debug}ging`, dataDir: '/x/falseging' },
  {
    name: 'a reference to another group',
    file: `[DEFAULT]\ndata_dir = /x\${http.max_connections}`,
    dataDir: '/x20000',
  },
  {
    name: 'a reference to what was set',
    file: '[DEFAULT]\ndata_dir = /x/$transport.max_queues_per_page\n[transport]\nmax_queues_per_page = 7',
    dataDir: '/x/7',
  },
  { name: 'a doubled dollar sign', file: '[DEFAULT]\ndata_dir = /a$$debug', dataDir: '/a$debug' },
  { name: 'a dollar sign behind a backslash', file: '[DEFAULT]\ndata_dir = /a\\$debug', dataDir: '/a$debug' },
  { name: 'a dollar sign before no name', file: '[DEFAULT]\ndata_dir = /a$5 $', dataDir: '/a$5 $' },
]

for (const { name, file, dataDir } of values) {
  test(`a file may have ${name}`, () => {
    assert.equal(loadFile(file).config.storage.dataDir, dataDir)
  })
}

test('sections are found in any case but for DEFAULT', () => {
  assert.equal(loadFile('[Transport]\nmax_queues_per_page = 7').config.limits.maxQueuesPerPage, 7)
  assert.deepEqual(problemsOf({ files: { '/etc/zaqar.conf': '[default]\ndebug = 1' } }), [
    '/etc/zaqar.conf:2: there is no group [default]; did you mean [DEFAULT]?',
  ])
})

test('a number that has no default may be left empty', () => {
  assert.equal(loadFile('[http]\nadmin_port =').config.http.adminPort, null)
})

const faults: { name: string; file: string; problem: string }[] = [
  { name: 'no sign', file: '[DEFAULT]\n\ndebug', problem: '3: neither a [section] nor "name = value"' },
  { name: 'no name', file: '[DEFAULT]\n= x', problem: '2: neither a [section] nor "name = value"' },
  { name: 'no section', file: 'debug = true', problem: '1: a value stands before the first [section]' },
  { name: 'an open section', file: '[DEFAULT', problem: '1: a section is a name in brackets: [name]' },
  { name: 'a section without a name', file: '[]', problem: '1: a section is a name in brackets: [name]' },
  {
    name: 'an indented line after a comment',
    file: '[DEFAULT]\ndata_dir = /a\n# x\n  b\n  c',
    problem: '4: an indented line goes on with a value, but there is none before it',
  },
]

for (const { name, file, problem } of faults) {
  test(`a file may not have ${name}`, () => {
    assert.deepEqual(problemsOf({ files: { '/etc/zaqar.conf': file } }), [`/etc/zaqar.conf:${problem}`])
  })
}

test('a line that is not understood is not shown, for it may hold a password', () => {
  const [problem] = problemsOf({ files: { '/etc/zaqar.conf': '[keystone_authtoken]\npassword hunter2' } })
  assert.doesNotMatch(problem ?? '', /hunter2/)
})
