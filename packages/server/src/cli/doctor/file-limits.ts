import { mostOpenFiles } from '../../platform/process-figures.ts'
import type { Findings } from './finding.ts'
import type { Subject } from './subject.ts'

/** Files, and connections to others: the store, Keystone, webhooks, mail. */
const BESIDE_CLIENTS = 500

/** Whether as many sockets may be open as clients are let in. */
export async function checkFileLimits(
  findings: Findings,
  { config, service }: Pick<Subject, 'config' | 'service'>,
): Promise<void> {
  const answers = await service
  const served = answers.who === 'service' ? (answers.metrics?.mostFiles ?? null) : null
  const most = served ?? (await mostOpenFiles())
  if (most === null) {
    findings.ok('how many files may be open, this system does not tell')
    return
  }
  const { maxConnections } = config.http
  const wanted = maxConnections + BESIDE_CLIENTS
  const whose = served === null ? 'a process started as this command is' : 'a process of the service'
  const text = `${whose} may have ${most} files and sockets open`
  if (most >= wanted) findings.ok(`${text}, enough for [http] max_connections (${maxConnections})`)
  else {
    findings.warning(
      `${text}, fewer than [http] max_connections (${maxConnections}) and what the service itself needs`,
      `LimitNOFILE=${wanted} in the unit, ulimit -n ${wanted} in a shell, or a lower max_connections`,
    )
  }
}
