import type { Findings } from './finding.ts'
import { checkPostgres } from './postgres.ts'
import { checkSqlite } from './sqlite.ts'
import type { Subject } from './subject.ts'

export async function checkStorage(findings: Findings, subject: Subject): Promise<void> {
  const { uri } = subject.config.storage
  if (uri.engine === 'sqlite') return checkSqlite(findings, subject, uri.file)
  if (subject.postgres !== null) return checkPostgres(findings, subject, await subject.postgres)
  findings.ok('the store is kept by an engine of somebody else, which is not examined')
}
