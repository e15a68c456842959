import { duration } from '../output/duration.ts'
import type { BackupFacts } from './ask-postgres.ts'
import type { Findings } from './finding.ts'

/** Of a base backup, in seconds: from an older one the way through the log is long. */
const OLDEST_BASE_BACKUP = 8 * 86_400
const PAGE = 'docs/operate-postgres.md, Backup'

/** As far as the server shows it: nothing in it says whether somebody makes dumps. */
export function checkBackups(
  findings: Findings,
  settings: ReadonlyMap<string, string>,
  { standbys, archived, lastFailed, baseBackup }: BackupFacts,
): void {
  if (standbys > 0) findings.ok(`${standbys === 1 ? 'a standby follows' : `${standbys} standbys follow`} the server`)
  if (settings.get('archive_mode') === 'off') {
    findings.warning(
      'the log is not archived, so there are no backups but dumps, of which the server does not know',
      `archive the log (archive_mode), or see to it that pg_dump runs and its files can be restored: ${PAGE}`,
    )
    return
  }
  if (lastFailed !== null && (archived === null || lastFailed < archived)) {
    findings.error(
      `the log could not be archived ${duration(lastFailed)} ago: backups end there, and the disk fills`,
      'see the log of PostgreSQL, and correct archive_command or archive_library',
    )
  } else if (archived === null) {
    findings.warning(
      'nothing of the log has been archived yet',
      'SELECT pg_switch_wal(), then look at pg_stat_archiver',
    )
  } else findings.ok(`the log is archived, last ${duration(archived)} ago`)
  if (baseBackup === 'hidden') {
    findings.ok('whether there is a base backup, the server does not show to this role: GRANT pg_monitor would let it')
  } else if (baseBackup === null) {
    findings.warning(
      'the server knows of no base backup, without which the archived log is of no use',
      `pg_basebackup: ${PAGE}`,
    )
  } else if (baseBackup > OLDEST_BASE_BACKUP) {
    findings.warning(`the newest base backup is ${duration(baseBackup)} old`, `make one more often: ${PAGE}`)
  } else findings.ok(`the newest base backup is ${duration(baseBackup)} old`)
}
