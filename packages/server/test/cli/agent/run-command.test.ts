import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { type CommandTerms, runCommand } from '../../../src/cli/agent/run-command.ts'
import { createSystemClock } from '../../../src/platform/system-clock.ts'
import { until } from '../../support/until.ts'

const folder = mkdtempSync(join(tmpdir(), 'zaqar-command-'))
after(() => rmSync(folder, { recursive: true }))
const never = new AbortController().signal
const clock = createSystemClock()

function run(command: string, terms: Partial<CommandTerms> = {}) {
  const env = { PATH: process.env['PATH'] }
  return runCommand({ command, input: '', env, timeoutSeconds: 60, signal: never, killing: never, clock, ...terms })
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('a command', { concurrency: true }, () => {
  test('gets its input and environment, and says how it has ended', async () => {
    const end = await run('read line; echo "$line $WHO"; echo trouble >&2; exit 3', {
      input: '$(echo no)\nmore',
      env: { WHO: 'me' },
    })
    assert.deepEqual([end.stdout.text(), end.stderr.text(), end.exitCode], ['$(echo no) me\n', 'trouble\n', 3])
    assert.deepEqual([end.signal, end.endedBy, end.error], [null, null, null])
  })

  test('need not read its input, however long that is', async () => {
    assert.equal((await run('exit 0', { input: 'x'.repeat(5_000_000) })).exitCode, 0)
    assert.equal((await run('exec <&-; sleep 0.1', { input: 'x'.repeat(5_000_000) })).exitCode, 0)
  })

  test('is never held up by its output', async () => {
    const end = await run('head -c 3000000 /dev/zero >&2; head -c 3000000 /dev/zero; echo end')
    assert.deepEqual([end.stdout.isTruncated, end.stderr.isTruncated, end.exitCode], [true, true, 0])
    assert.match(end.stdout.text(), /end\n$/)
  })

  test('that is killed by a signal says which', async () => {
    const end = await run('kill -KILL $$')
    assert.deepEqual([end.exitCode, end.signal, end.endedBy], [null, 'SIGKILL', null])
  })

  test('ends when it ends, whatever it leaves in the background', async () => {
    const end = await run('sleep 300 & echo $!')
    const left = Number(end.stdout.text())
    assert.equal(end.exitCode, 0)
    assert.ok(isRunning(left))
    process.kill(left)
  })

  test('that takes too long is ended with its children and theirs, even those that ignore it', async () => {
    const stubborn = `sh -c 'trap "" TERM; echo $$; while true; do sleep 1; done'`
    const end = await run(`sh -c '${stubborn.replaceAll("'", `'"'"'`)} & echo $$; wait' & echo $$; wait`, {
      timeoutSeconds: 0.5,
    })
    assert.deepEqual([end.endedBy, end.exitCode, end.signal], ['time limit', null, 'SIGTERM'])
    const pids = end.stdout.text().trim().split('\n').map(Number)
    assert.equal(pids.length, 3)
    await until(() => !pids.some(isRunning))
  })

  test('that ends in good order when it is told to may do so', async () => {
    const end = await run(`trap 'echo bye; exit 4' TERM; echo ready; while true; do sleep 0.05; done`, {
      timeoutSeconds: 0.5,
    })
    assert.deepEqual([end.endedBy, end.exitCode, end.stdout.text()], ['time limit', 4, 'ready\nbye\n'])
  })

  test('is broken off by its signal, and not even started behind it', async () => {
    const abort = new AbortController()
    const running = run('echo started; sleep 300', { signal: abort.signal })
    abort.abort()
    assert.equal((await running).endedBy, 'abortion')
    const late = await run('true', { signal: abort.signal })
    assert.deepEqual([late.endedBy, late.error], ['abortion', 'it was not started'])
  })

  test('that cannot be started says why', async () => {
    const end = await run('true', { env: { A: 'a\0b' } })
    assert.match(end.error ?? '', /null bytes/)
    assert.deepEqual([end.exitCode, end.endedBy], [null, null])
  })
})
