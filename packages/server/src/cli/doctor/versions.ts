import type { NodeSessions } from './ask-postgres.ts'
import type { Findings } from './finding.ts'
import type { Subject } from './subject.ts'

/** The oldest Node that the service runs on, as `engines` of the package has it. */
const OLDEST_NODE = 24

export async function checkVersions(
  findings: Findings,
  { version, service, postgres }: Pick<Subject, 'version' | 'service' | 'postgres'>,
): Promise<void> {
  checkNode(findings, 'this command', process.versions.node)
  const answers = await service
  const metrics = answers.who === 'service' ? answers.metrics : null
  if (metrics?.node) checkNode(findings, 'the service', metrics.node)
  if (metrics?.version) checkRunning(findings, metrics.version, version)
  else if (answers.who === 'service') {
    findings.ok(
      'of which version the service is that runs, it tells whom it shows its metrics ([metrics] scrape_token)',
    )
  }
  const ofStore = await postgres
  if (ofStore !== null && 'nodes' in ofStore) checkNodes(findings, ofStore.nodes, version)
}

function checkNode(findings: Findings, what: string, node: string): void {
  if (Number.parseInt(node, 10) >= OLDEST_NODE) findings.ok(`${what} runs on Node ${node}`)
  else findings.error(`${what} runs on Node ${node}`, `Node ${OLDEST_NODE} or newer is needed`)
}

function checkRunning(findings: Findings, running: string, own: string): void {
  if (running === own) findings.ok(`the service is of version ${own}, as this command is`)
  else
    findings.warning(
      `the service is of version ${running}, and this command of ${own}`,
      'restart the service, to finish its update',
    )
}

/** Each session of a node tells its versions to the server. */
export function checkNodes(findings: Findings, nodes: readonly NodeSessions[], own: string): void {
  const versions = new Set(nodes.map(({ application }) => application.split(' ')[0]))
  const places = nodes.map(({ address, application }) => `${address} (${application})`).join(', ')
  if (nodes.length === 0) findings.ok(`no session at the store tells a version; this command is of version ${own}`)
  else if (versions.size === 1) findings.ok(`all nodes at the store are of one version: ${places}`)
  else {
    findings.warning(
      `nodes of several versions are at the store: ${places}`,
      'update the others: only two successive versions may run together, and not for long',
    )
  }
}
