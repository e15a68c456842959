import type { Flags } from '../../config/flags.ts'
import { ConfigError, loadConfig } from '../../config/load.ts'
import { diskFiles } from '../../platform/disk-files.ts'
import { createSystemClock } from '../../platform/system-clock.ts'
import type { ZaqarCommand } from '../command.ts'
import { addConfigFlags } from '../config-flags.ts'
import { examine } from '../doctor/examine.ts'
import { type Finding, Findings } from '../doctor/finding.ts'
import { countOf, linesOf, summaryOf } from '../doctor/print-findings.ts'
import { subjectOf } from '../doctor/subject.ts'
import { EXIT } from '../exit.ts'
import { Printer } from '../output/printer.ts'
import type { Shell } from '../shell.ts'
import { readVersion } from '../version.ts'

export function defineDoctor(command: ZaqarCommand, shell: Shell): void {
  command
    .description(
      'Looks over an installation: configuration, storage, Keystone, ports, certificates, clock, limits and versions. Says what is wrong and what to ' +
        'do. A service that runs is asked and not disturbed. Run it as the user of the service, with the flags that the service has. Ends with 1 when ' +
        'there is an error; warnings are no errors.',
    )
    .option('--json', 'Print one JSON document.')
    .examples('zaqar doctor', 'zaqar doctor --config-file /etc/zaqar/zaqar.conf --data-dir /var/lib/zaqar')
  const flags = addConfigFlags(command)
  command.action(async ({ json }: { json?: true }) => {
    const findings = await findingsOf(flags, shell)
    const errors = countOf(findings, 'error')
    const warnings = countOf(findings, 'warning')
    const printer = new Printer(shell, json)
    await printer.tell({ errors, warnings, findings }, ...linesOf(findings, shell.stdout), '', summaryOf(findings))
    if (errors > 0) shell.exitCode = EXIT.failed
  })
}

/** What cannot be read cannot be examined. */
async function findingsOf(flags: Flags, { env, homeDir }: Shell): Promise<readonly Finding[]> {
  try {
    const loaded = loadConfig({ flags, env, homeDir, files: diskFiles })
    return await examine(subjectOf(loaded, readVersion(), createSystemClock()))
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const findings = new Findings('configuration')
    for (const problem of error.problems)
      findings.error(problem, 'correct it; zaqar config options lists what may be set')
    return findings.all
  }
}
