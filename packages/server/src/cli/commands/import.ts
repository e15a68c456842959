/** `zaqar import`: what a service has, to another one. */
import { readFileSync } from 'node:fs'
import { InvalidArgumentError } from 'commander'
import { createSystemClock } from '../../platform/system-clock.ts'
import type { ZaqarCommand } from '../command.ts'
import { connectionOf } from '../connection/connect.ts'
import { EXIT } from '../exit.ts'
import { ImportError } from '../import/import-error.ts'
import { type ImportSummary, isWrong, type QueueReport, runImport } from '../import/run-import.ts'
import type { ApiVersion } from '../import/side.ts'
import type { TopicSupport } from '../import/topic-support.ts'
import { Printer } from '../output/printer.ts'
import { Progress } from '../output/progress.ts'
import type { Shell } from '../shell.ts'
import { UsageError } from '../usage-error.ts'
import { collected, countFrom, textOf } from '../values.ts'

interface Flags {
  readonly from?: string
  readonly to?: string
  readonly fromCloud?: string
  readonly toCloud?: string
  readonly fromVersion?: ApiVersion
  readonly project?: readonly string[]
  readonly projectsFile?: string
  readonly queue?: readonly string[]
  readonly topic?: readonly string[]
  readonly pools?: Readonly<Record<string, string>>
  readonly subscriptions?: false
  readonly verify?: false
  readonly removeGone?: true
  readonly dryRun?: true
  readonly rate?: number
  readonly timeout?: number
  readonly state: string
  readonly json?: true
}

export function defineImport(command: ZaqarCommand, shell: Shell): void {
  command
    .description(
      'Brings queues and topics with their messages and subscriptions from one service to another, this one or an OpenStack Zaqar, and compares both sides. ' +
        'The source is only read. Run again with the same state file, it goes on, and brings what has come since. docs/migrate.md tells how a cloud ' +
        'changes over.',
    )
    .option('--from <URL>', 'Address of the source. Default: what the catalogue of its cloud says')
    .option('--to <URL>', 'Address of the destination. Default: as for the source')
    .option('--project <ID>', 'Project to import; may be given several times.', collected(textOf))
    .option('--projects-file <FILE>', 'File with a project in each line.')
    .option('--queue <NAME>', 'Import only this queue; may be given several times.', collected(textOf))
    .option(
      '--topic <NAME>',
      'Import only this topic; may be given several times, and beside --queue.',
      collected(textOf),
    )
    .option('--state <FILE>', 'What is imported is kept there.', 'zaqar-import.state')
    .option('--no-subscriptions', 'Leave subscriptions out: for a pass that is not the last one.')
    .option('--remove-gone', 'Remove at the destination what was imported and is not at the source any more.')
    .option('--no-verify', 'Do not compare both sides.')
    .option(
      '--pools <FILE>',
      'Import pools and flavors, too: JSON of the address that each pool has at the destination.',
      poolsIn,
    )
    .option('--rate <N>', 'The most messages of the source to read in a second.', countFrom(1))
    .option('--dry-run', 'Read the source, and change nothing.')
    .option('--json', 'Print JSON: a line for each queue and topic, and one for all.')
    .optionsGroup('Connection:')
    .option('--from-cloud <NAME>', 'Ask the source as this cloud of clouds.yaml says. Default: as OS_* variables say')
    .option(
      '--to-cloud <NAME>',
      'Ask the destination as this cloud of clouds.yaml says. Default: as OS_* variables say',
    )
    .option(
      '--from-version <VERSION>',
      'Version of the API to ask the source in: 1.1 or 2. Default: the newest it speaks',
      version,
    )
    .option('--timeout <SECONDS>', 'Time that a service has for each answer. Default: 30', countFrom(1))
    .examples(
      'zaqar import --from http://old:8888 --to http://new:8888 --project 4f1c --dry-run',
      'zaqar import --from-cloud old --to-cloud new --projects-file projects --no-subscriptions --rate 500',
      'zaqar import --from-cloud old --to-cloud new --projects-file projects --remove-gone',
    )
  command.action(async (flags: Flags) => {
    const projects = projectsOf(flags)
    const ending = new AbortController()
    const end = () => ending.abort(new ImportError('interrupted: the same command goes on'))
    process.once('SIGINT', end).once('SIGTERM', end)
    const progress = new Progress(shell.stderr, 'messages')
    const printer = new Printer(shell, flags.json)
    try {
      const summary = await runImport({
        connect: (side, project) =>
          connectionOf(
            { ...placeOf(flags, side), project, ...(flags.timeout !== undefined && { timeout: flags.timeout }) },
            shell,
            flags.pools !== undefined,
          ),
        projects,
        queues: flags.queue ?? (flags.topic === undefined ? null : []),
        topics: flags.topic ?? (flags.queue === undefined ? null : []),
        version: flags.fromVersion ?? null,
        stateFile: flags.state,
        pools: flags.pools ?? null,
        subscriptions: flags.subscriptions ?? true,
        removesGone: flags.removeGone ?? false,
        verifies: flags.verify ?? true,
        isDry: flags.dryRun ?? false,
        rate: flags.rate ?? Number.POSITIVE_INFINITY,
        now: createSystemClock().now,
        progress: (messages, share) => progress.at(messages, share),
        async report(report) {
          progress.end()
          await printer.tell(documentOf(report), ...linesOf(report))
        },
        signal: ending.signal,
      })
      progress.end()
      await printer.tell(summary, sentenceOf(summary, flags))
      if (summary.wrong > 0) shell.exitCode = EXIT.failed
    } finally {
      progress.end()
      process.off('SIGINT', end).off('SIGTERM', end)
    }
  })
}

/** @throws UsageError where a side is not named */
function placeOf({ from, to, fromCloud, toCloud }: Flags, side: 'source' | 'destination') {
  const [url, osCloud, flag] = side === 'source' ? [from, fromCloud, '--from'] : [to, toCloud, '--to']
  if (url === undefined && osCloud === undefined) {
    throw new UsageError(`the ${side} is missing: name it by ${flag} or ${flag}-cloud`)
  }
  return { ...(url !== undefined && { url }), ...(osCloud !== undefined && { osCloud }) }
}

/** @throws UsageError */
function projectsOf({ project = [], projectsFile }: Flags): string[] {
  const listed = projectsFile === undefined ? [] : readFileSync(projectsFile, 'utf8').split('\n')
  const projects = [...project, ...listed.map((line) => line.trim())].filter((name) => name !== '')
  if (projects.length === 0) throw new UsageError('no project is named: give --project or --projects-file')
  return [...new Set(projects)]
}

function version(text: string): ApiVersion {
  const known = text.replace(/^v/, '')
  if (known === '1.1' || known === '2') return known
  throw new InvalidArgumentError('It must be 1.1 or 2.')
}

function poolsIn(file: string): Record<string, string> {
  let pools: unknown
  try {
    pools = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new InvalidArgumentError(`${file}: ${(error as Error).message}`)
  }
  const isObject = typeof pools === 'object' && pools !== null && !Array.isArray(pools)
  if (isObject && Object.values(pools as object).every((uri) => typeof uri === 'string'))
    return pools as Record<string, string>
  throw new InvalidArgumentError(`${file} must hold a JSON object, such as {"east": "postgresql://db1/zaqar"}.`)
}

function documentOf(report: QueueReport): object {
  const { project, kind, name, verification, ...counts } = report
  return { project, [kind]: name, ...counts, ...(verification !== null && { verification }), ok: !isWrong(report) }
}

function linesOf(report: QueueReport): string[] {
  const { project, kind, name, imported, seen, verification, unlisted, problems } = report
  const which = kind === 'topic' ? `${project} topic ${name}` : `${project} ${name}`
  const parts = [`${seen} messages, ${imported} of them new`, ...detailsOf(report)]
  if (verification !== null)
    parts.push(
      verification.isRight
        ? `the same at both sides, ${verification.destinationDigest.slice(0, 12)}`
        : `NOT THE SAME: ${differencesOf(verification)}`,
    )
  if (unlisted === null)
    parts.push('NOT COUNTED by the source, so there may be more than it lists: docs/migrate.md has what to do')
  else if (unlisted > 0) parts.push(`${unlisted} MORE that the source counts and does not list`)
  return [`${which}: ${parts.join('; ')}`, ...problems.map((problem) => `${which}: PROBLEM: ${problem}`)]
}

function detailsOf({ claimed, delayed, prolonged, gone, removed, subscriptions }: QueueReport): string[] {
  const counts = {
    'claimed at the source': claimed,
    delayed,
    'that get 60 seconds': prolonged,
    'gone from the source': gone - removed,
    'removed, since they are gone from the source': removed,
    subscriptions,
  }
  return Object.entries(counts).flatMap(([what, count]) => (count > 0 ? [`${count} ${what}`] : []))
}

function differencesOf({ source, destination, missing }: NonNullable<QueueReport['verification']>): string {
  return `${source} at the source, ${destination} of them at the destination, ${missing} missing`
}

function sentenceOf(
  { queues, topics, messages, subscriptions, wrong, pass, topicSupport }: ImportSummary,
  { dryRun, verify }: Flags,
): string {
  const what = `${messages} messages and ${subscriptions} subscriptions of ${queues} queues and ${topics} topics`
  const lacks = topicSupport === null ? '' : LACKS[topicSupport]
  if (dryRun) return `${what} would be imported${lacks}; nothing is changed`
  const verdict =
    wrong > 0
      ? `; ${wrong} queues or topics are not as at the source`
      : verify === false
        ? ''
        : '; all are as at the source'
  return `pass ${pass}: ${what} are imported${lacks}${verdict}`
}

/** What nobody need look for at the destination. */
const LACKS = {
  whole: '',
  bare: '; the source shows only the metadata of topics',
  none: '; the source knows no topics',
} as const satisfies Record<TopicSupport, string>
