import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { requirePeer } from '../support/peers.ts'

const repository = fileURLToPath(new URL('../..', import.meta.url))
const path = join(repository, 'deploy/systemd/zaqar.service')
/** In tenths, as the command takes it. */
const MOST_EXPOSED = '25'

test('systemd finds nothing wrong with the unit, and it is hardened', (t) => {
  if (!requirePeer(t, 'systemd')) return
  const folder = mkdtempSync(join(tmpdir(), 'zaqar-unit-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const unit = join(folder, 'zaqar.service')
  // The command looks whether what is started is there.
  writeFileSync(unit, readFileSync(path, 'utf8').replace('ExecStart=zaqar ', `ExecStart=${process.execPath} `))
  const verified = analyze('verify', '--man=no', unit)
  // It names other units of this machine, too.
  assert.deepEqual(
    verified.output.split('\n').filter((line) => line.includes('zaqar')),
    [],
  )
  const judged = analyze('security', '--offline=true', `--threshold=${MOST_EXPOSED}`, unit)
  assert.equal(judged.status, 0, judged.output)
  assert.match(judged.output, /Overall exposure level for zaqar\.service: \d/)
})

function analyze(...argv: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync('systemd-analyze', ['--no-pager', ...argv], { encoding: 'utf8' })
  return { status, output: stdout + stderr }
}
