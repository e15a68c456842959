import { startTimeLimit } from '../../platform/time-limit.ts'
import { checkCertificates } from './certificates.ts'
import { checkClock } from './clock.ts'
import { checkConfiguration } from './configuration.ts'
import { checkFileLimits } from './file-limits.ts'
import { type Finding, Findings } from './finding.ts'
import { checkKeystone } from './keystone.ts'
import { checkPorts } from './ports.ts'
import { checkStorage } from './storage.ts'
import type { Subject } from './subject.ts'
import { checkVersions } from './versions.ts'

/** For a group, in milliseconds. What each of them asks has its own, shorter limit. */
const TIME_LIMIT_MS = 20_000

type Check = (findings: Findings, subject: Subject) => void | Promise<void>

/** By the name of the group, in the order in which findings are told. */
const checks: Readonly<Record<string, Check>> = {
  configuration: checkConfiguration,
  storage: checkStorage,
  keystone: checkKeystone,
  ports: checkPorts,
  certificates: checkCertificates,
  clock: checkClock,
  'file limits': checkFileLimits,
  versions: checkVersions,
}

/** Looks at everything at one time; what does not answer keeps nothing else from being told. */
export async function examine(subject: Subject): Promise<Finding[]> {
  const groups = await Promise.all(
    Object.entries(checks).map(async ([about, check]) => {
      const findings = new Findings(about)
      await withinTime(findings, async () => check(findings, subject))
      return [...findings.all]
    }),
  )
  return groups.flat()
}

async function withinTime(findings: Findings, check: () => Promise<void>): Promise<void> {
  const { promise: tooLate, resolve } = Promise.withResolvers<void>()
  const limit = startTimeLimit(TIME_LIMIT_MS, () => {
    findings.error(
      `not all could be looked at within ${TIME_LIMIT_MS / 1000} seconds`,
      'see whether the disk or the network hangs, then try again',
    )
    resolve()
  })
  const checked = check().catch((error: NodeJS.ErrnoException) => {
    const isForbidden = error.code === 'EACCES' || error.code === 'EPERM'
    const remedy = isForbidden ? 'run this as the user of the service, or as root' : 'try again; tell us if it stays so'
    findings.error(`not all could be looked at: ${error.message}`, remedy)
  })
  await Promise.race([checked, tooLate])
  limit.cancel()
}
