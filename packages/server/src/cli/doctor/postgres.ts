import type { ConnectionFacts, NodeSessions, PostgresAnswers, SchemaFacts } from './ask-postgres.ts'
import type { Findings } from './finding.ts'
import { checkBackups } from './postgres-backups.ts'
import type { Subject } from './subject.ts'

/** Beside twice `[storage] connections`: one listens, and one asks for the time. */
const FURTHER_CONNECTIONS = 2
/** Above what a move waits for the lock of its queue, in milliseconds. */
const LEAST_STATEMENT_TIMEOUT_MS = 5_000

export function checkPostgres(findings: Findings, { config }: Pick<Subject, 'config'>, answers: PostgresAnswers): void {
  if ('objection' in answers) {
    findings.error(answers.objection, 'correct [storage] uri, or the server; docs/operate-postgres.md has both')
    return
  }
  const { settings, schema, connections, nodes, backups } = answers
  findings.ok(`PostgreSQL ${settings.get('server_version')} answers`)
  checkWay(findings, answers)
  checkDurability(findings, settings)
  checkSchema(findings, schema)
  const { connections: ofLanes } = config.storage
  checkConnections(findings, connections, { ofNode: (2 * ofLanes + FURTHER_CONNECTIONS) * config.http.workers, nodes })
  checkTimes(findings, settings)
  checkBackups(findings, settings, backups)
}

function checkWay(
  findings: Findings,
  { isReadOnly, lacksWayToListen, isBare }: Exclude<PostgresAnswers, { objection: string }>,
): void {
  if (isReadOnly) {
    findings.error(
      'the server takes no writes',
      'name the primary in [storage] uri, or all hosts: postgres://a,b/zaqar',
    )
  }
  if (lacksWayToListen) {
    findings.error(
      'the address leads to a connection pooler, through which nobody can listen',
      'name the server itself in [storage] listen_uri',
    )
  }
  if (isBare) {
    findings.warning(
      'the connection goes over a network and is not encrypted',
      'add sslmode=verify-full to the address, and sslrootcert where the authority is one of your own',
    )
  }
}

function checkDurability(findings: Findings, settings: ReadonlyMap<string, string>): void {
  const turnOn = (name: string) => `ALTER SYSTEM SET ${name} = on, then SELECT pg_reload_conf()`
  let isDurable = true
  const weak = (severity: 'warning' | 'error', found: string, remedy: string) => {
    isDurable = false
    findings[severity](found, remedy)
  }
  if (settings.get('fsync') === 'off') {
    weak('error', 'fsync is off: a power cut may destroy the whole database', turnOn('fsync'))
  }
  const commit = settings.get('synchronous_commit')
  if (commit === 'off') {
    weak('error', 'synchronous_commit is off: what was answered may be lost', turnOn('synchronous_commit'))
  }
  if (commit === 'local' && settings.get('synchronous_standby_names')) {
    weak(
      'warning',
      'synchronous_commit is local: after a failover what was answered may be missing',
      turnOn('synchronous_commit'),
    )
  }
  if (settings.get('full_page_writes') === 'off') {
    weak(
      'warning',
      'full_page_writes is off: after a power cut pages may be half written',
      `${turnOn('full_page_writes')}; only a file system that writes pages as a whole, such as ZFS, does without`,
    )
  }
  if (isDurable) findings.ok('what is answered is on the disk: fsync, synchronous_commit and full_page_writes are on')
}

function checkSchema(findings: Findings, { state, newest, missingRight }: SchemaFacts): void {
  if (missingRight !== null) {
    findings.error(
      `the role of the service lacks ${missingRight}`,
      'start the service once as the owner of the schema, and grant the rights again: docs/operate-postgres.md, Fewer rights',
    )
  } else if (state === null) findings.ok('there is no schema yet; the first start makes it')
  else {
    const present = `step ${state.steps}, moves ${state.moves}`
    const ours = `step ${newest.steps}, moves ${newest.moves}`
    if (state.steps === newest.steps && state.moves === newest.moves)
      findings.ok(`the schema is up to date (${present})`)
    else if (state.steps > newest.steps || state.moves > newest.moves) {
      findings.warning(
        `the schema (${present}) was brought forward by a newer version than this one (${ours})`,
        'update this node as well',
      )
    } else {
      findings.warning(
        `the schema (${present}) is of an older version than this one (${ours})`,
        'start this version: the first node brings the schema forward, while those of the version before go on',
      )
    }
  }
}

function checkConnections(
  findings: Findings,
  { open, most }: ConnectionFacts,
  { ofNode, nodes }: { readonly ofNode: number; readonly nodes: readonly NodeSessions[] },
): void {
  const running = new Set(nodes.map(({ address }) => address)).size
  const wanted = ofNode * Math.max(1, running)
  const remedy =
    'raise max_connections (or the limit of the role or database), or lower [storage] connections or workers'
  const all =
    running > 1 ? `${running} nodes need up to ${wanted} connections` : `a node needs up to ${ofNode} connections`
  if (wanted > most) findings.error(`${all}, and the service can have ${most}`, remedy)
  else if (running === 0 && wanted > most - open) {
    findings.warning(`${all}; of ${most} others have taken ${open}`, remedy)
  } else findings.ok(`${all}; the service can have ${most} (open now: ${open})`)
}

function checkTimes(findings: Findings, settings: ReadonlyMap<string, string>): void {
  const statement = Number(settings.get('statement_timeout') ?? 0)
  if (statement > 0 && statement <= LEAST_STATEMENT_TIMEOUT_MS) {
    findings.warning(
      `statement_timeout is ${statement} ms, less than a request may wait for its queue`,
      'set it to more than 5 s for the role of the service, or to 0',
    )
  }
  if (settings.get('autovacuum') === 'off') {
    findings.error(
      'autovacuum is off: rows that are gone are never removed, and the disk fills',
      'ALTER SYSTEM SET autovacuum = on, then SELECT pg_reload_conf()',
    )
  }
}
