import { execFile } from 'node:child_process'
import type { KeystoneAnswers } from './ask-keystone.ts'
import type { PostgresAnswers } from './ask-postgres.ts'
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
  const [ofStore, ofKeystone] = await Promise.all([postgres, keystone])
  checkClocks(findings, { store: aheadOf(ofStore), keystone: aheadOf(ofKeystone) })
}

function aheadOf(answers: KeystoneAnswers | PostgresAnswers | null): number | null {
  return answers !== null && 'clockAheadMs' in answers ? answers.clockAheadMs : null
}

/** Of others: by how many milliseconds they are ahead of this machine's. Null: nobody told. */
export function checkClocks(
  findings: Findings,
  { store, keystone }: Readonly<Record<'store' | 'keystone', number | null>>,
): void {
  if (store !== null) checkStore(findings, store)
  // By the store's clock the service judges what has expired.
  if (keystone === null) return
  if (store === null) checkKeystone(findings, keystone, 'that of this machine')
  else checkKeystone(findings, keystone - store, 'that of PostgreSQL')
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
