import { execFile } from 'node:child_process'
import type { Findings } from './finding.ts'
import type { Subject } from './subject.ts'

/** In milliseconds. */
const TIME_LIMIT_MS = 3_000
/** Clocks that are told by a network agree better than that. */
const NOTICEABLE_MS = 5_000
/** Tokens are good or not by minutes then. */
const GRAVE_MS = 300_000
const SYNCHRONISE = 'run chrony or systemd-timesyncd on both machines'

export async function checkClock(findings: Findings, { keystone, postgres }: Subject): Promise<void> {
  checkSynchronised(findings, await isSynchronised())
  const ofStore = await postgres
  const storeAheadMs = ofStore !== null && 'clockAheadMs' in ofStore ? ofStore.clockAheadMs : null
  if (storeAheadMs !== null) checkStore(findings, storeAheadMs)
  const ofKeystone = await keystone
  const keystoneAheadMs = ofKeystone !== null && 'clockAheadMs' in ofKeystone ? ofKeystone.clockAheadMs : null
  if (keystoneAheadMs === null) return
  if (storeAheadMs === null) checkKeystone(findings, keystoneAheadMs, 'that of this machine')
  else checkKeystone(findings, keystoneAheadMs - storeAheadMs, 'that of PostgreSQL')
}

function checkSynchronised(findings: Findings, answer: boolean | null): void {
  if (answer === null) findings.ok('whether its clock is synchronised, this machine does not tell (timedatectl)')
  else if (answer) findings.ok('the clock of this machine is synchronised')
  else findings.warning('the clock of this machine is not synchronised', 'run chrony or systemd-timesyncd')
}

function checkStore(findings: Findings, aheadMs: number): void {
  const text = compared("PostgreSQL's clock", aheadMs, 'that of this machine')
  if (Math.abs(aheadMs) < NOTICEABLE_MS) findings.ok(text)
  else findings.warning(`${text}: messages tell other times than logs of this machine`, SYNCHRONISE)
}

/** `other`: whose clock judges what has expired. */
function checkKeystone(findings: Findings, aheadMs: number, other: string): void {
  const text = compared("Keystone's clock", aheadMs, other)
  const tokens = `${text}: tokens end that much too ${aheadMs > 0 ? 'late' : 'early'}`
  if (Math.abs(aheadMs) < NOTICEABLE_MS) findings.ok(text)
  else if (Math.abs(aheadMs) < GRAVE_MS) findings.warning(tokens, SYNCHRONISE)
  else findings.error(tokens, SYNCHRONISE)
}

function compared(clock: string, aheadMs: number, other: string): string {
  if (Math.abs(aheadMs) < 1000) return `${clock} agrees with ${other}`
  return `${clock} is ${(Math.abs(aheadMs) / 1000).toFixed(1)} s ${aheadMs > 0 ? 'ahead of' : 'behind'} ${other}`
}

/** As the kernel has it from whoever sets it; null where nobody says. */
function isSynchronised(): Promise<boolean | null> {
  return new Promise((resolve) => {
    const command = ['show', '--property=NTPSynchronized', '--value']
    execFile('timedatectl', command, { timeout: TIME_LIMIT_MS }, (error, stdout) => {
      const answer = stdout.trim()
      resolve(error !== null || (answer !== 'yes' && answer !== 'no') ? null : answer === 'yes')
    })
  })
}
