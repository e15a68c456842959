import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { AgentError } from '../../../src/cli/agent/agent-error.ts'
import { Position } from '../../../src/cli/agent/position.ts'

const folder = mkdtempSync(join(tmpdir(), 'zaqar-position-'))
after(() => rmSync(folder, { recursive: true }))

const signed = { signature: 's', project: 'demo', methods: [], paths: [], expires: '2099-01-01T00:00:00' }
const jobs = { queue: 'jobs', signed }

test('a position is where it was when it is opened again, under the same name for outcomes', () => {
  const path = join(folder, 'kept')
  const first = Position.open(path, jobs)
  assert.equal(first.marker, undefined)
  first.move('m1')
  first.move('m2')
  const second = Position.open(path, jobs)
  assert.equal(second.marker, 'm2')
  assert.equal(second.keyOf('message'), first.keyOf('message'))
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('kept')),
    ['kept'],
  )
})

test('two agents that follow one queue have outcomes of their own', () => {
  const [one, other] = ['one', 'other'].map((name) => Position.open(join(folder, name), jobs).keyOf('message'))
  assert.notEqual(one, other)
})

test('the position of another queue is not overwritten', () => {
  const path = join(folder, 'others')
  Position.open(path, { ...jobs, queue: 'theirs' }).move('m')
  assert.throws(
    () => Position.open(path, jobs),
    new AgentError(`${path} is about the queue theirs of project demo, not jobs of project demo: give another --state`),
  )
  assert.match(readFileSync(path, 'utf8'), /"marker":"m"/)
})

for (const text of ['', '{"queue": "jobs"', '{}', '[1]', '{"project":"demo","queue":"jobs","agent":"a","marker":7}']) {
  test(`a file with ${text || 'nothing'} is not taken for a position`, () => {
    const path = join(folder, 'wrong')
    writeFileSync(path, text)
    const problem = `${path} holds no position of an agent; remove it to begin with the oldest message`
    assert.throws(() => Position.open(path, jobs), new AgentError(problem))
  })
}

test('a folder that is not there is noticed at the start', () => {
  assert.throws(() => Position.open(join(folder, 'missing/state'), jobs), { code: 'ENOENT' })
})
