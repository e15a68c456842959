import { Findings } from '../../../src/cli/doctor/finding.ts'

/** What a check finds, a line for each: `warning: how it is -> what to do`. */
export async function found(check: (findings: Findings) => void | Promise<void>): Promise<string[]> {
  const findings = new Findings('a group')
  await check(findings)
  return findings.all.map(
    ({ severity, found, remedy }) => `${severity}: ${found}${remedy === null ? '' : ` -> ${remedy}`}`,
  )
}

/** Those that say that something is not as it should be. */
export async function troubles(check: (findings: Findings) => void | Promise<void>): Promise<string[]> {
  return (await found(check)).filter((line) => !line.startsWith('ok: '))
}
