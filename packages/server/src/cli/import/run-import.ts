/** Goes through the projects of an import, and through the queues and topics of each. */
import { changesBetween, type Metadata, ZaqarError, type ZaqarOptions } from 'zaqar-client/http'
import { parseJson, printJson } from '../../model/json.ts'
import type { Instant, Json, QueueKind } from '../../model/model.ts'
import { ImportError } from './import-error.ts'
import { importFlavors, importPools, type PoolAddresses } from './import-pools.ts'
import { importQueue, type QueueTally } from './import-queue.ts'
import { ImportState, type Named, type QueueRow } from './import-state.ts'
import { importSubscriptions } from './import-subscriptions.ts'
import { ownMetadata } from './metadata.ts'
import { Pace } from './pace.ts'
import { type ApiVersion, findVersion, inVersion, Side } from './side.ts'
import { type TopicSupport, topicSupportOf } from './topic-support.ts'
import { type Verification, verifyQueue } from './verify-queue.ts'

export interface ImportOptions {
  /** How each side is asked in the name of a project. */
  connect(side: 'source' | 'destination', project: string): Promise<ZaqarOptions>
  readonly projects: readonly string[]
  /** Only these queues; null: all that the source lists. */
  readonly queues: readonly string[] | null
  /** Likewise. */
  readonly topics: readonly string[] | null
  /** Of the source; null: it is found out. */
  readonly version: ApiVersion | null
  readonly stateFile: string
  /** Null: pools and flavors are left out. */
  readonly pools: PoolAddresses | null
  readonly subscriptions: boolean
  /** Whether messages that the source has not any more are removed at the destination. */
  readonly removesGone: boolean
  readonly verifies: boolean
  /** Nothing is changed anywhere. */
  readonly isDry: boolean
  /** Messages of the source a second, at the most. */
  readonly rate: number
  now(): Instant
  /** Told of each queue and topic when it is done. */
  report(queue: QueueReport): Promise<void>
  /** `share`: of all queues and topics, from 0 to 1. */
  progress(messages: number, share: number): void
  readonly signal: AbortSignal
}

export interface QueueReport extends QueueTally, Named {
  readonly project: string
  /** That the source counts and does not list, and so were not brought; null: it does not count. */
  readonly unlisted: number | null
  /** Imported by a pass before, and not at the source any more. */
  readonly gone: number
  /** Of these, those that are removed at the destination. */
  readonly removed: number
  readonly subscriptions: number
  /** Null: it was not looked at. */
  readonly verification: Verification | null
  /** What stands in the way; empty where all went well. */
  readonly problems: readonly string[]
}

export interface ImportSummary {
  readonly source: string
  readonly destination: string
  readonly version: ApiVersion
  /** What the source has of topics; null: nobody has asked for any. */
  readonly topicSupport: TopicSupport | null
  /** How many times the source was gone through, with this one. */
  readonly pass: number
  queues: number
  topics: number
  messages: number
  subscriptions: number
  pools: number
  flavors: number
  removed: number
  /** Queues and topics with problems, or of which not all is the same at both sides. */
  wrong: number
}

/** The most ids that a service takes at a time, where its operator has not allowed fewer. */
const IDS = 20

/** @throws ImportError, ZaqarError where a side cannot be asked at all, or the reason of the signal */
export async function runImport(options: ImportOptions): Promise<ImportSummary> {
  const { projects, signal } = options
  const [first = ''] = projects
  const source = await options.connect('source', first)
  const destination = await options.connect('destination', first)
  const urls = { source: await new Side(source).zaqar.url(), destination: await new Side(destination).zaqar.url() }
  const isForOne = [source, destination].some(({ auth }) => auth !== undefined && 'token' in auth)
  if (isForOne && projects.length > 1) throw new ImportError('a token is for one project: import one after the other')
  if (urls.source === urls.destination) throw new ImportError(`both sides are ${urls.source}`)
  // Before a long work begins, both are there.
  const version = options.version ?? (await findVersion(source, signal))
  await new Side(destination).meet(signal)
  const topicSupport = await topicSupportOfSides(options, { version, source, destination })
  const state = new ImportState(options.stateFile, urls, options)
  try {
    const counts = { queues: 0, topics: 0, messages: 0, subscriptions: 0, pools: 0, flavors: 0, removed: 0, wrong: 0 }
    const summary: ImportSummary = {
      ...urls,
      version,
      topicSupport: topicSupport?.source ?? null,
      pass: state.pass,
      ...counts,
    }
    const run = { ...options, version, topicSupport, state, summary, pace: new Pace(options.rate), lookedAt: 0 }
    for (const project of projects) await importProject(project, run)
    return summary
  } finally {
    state.close()
  }
}

interface SidesSupport {
  readonly source: TopicSupport
  readonly destination: TopicSupport
}

/** Null where nobody has asked for topics. */
async function topicSupportOfSides(
  { topics, signal }: ImportOptions,
  { version, source, destination }: { version: ApiVersion; source: ZaqarOptions; destination: ZaqarOptions },
): Promise<SidesSupport | null> {
  if (topics !== null && topics.length === 0) return null
  return {
    source: version === '1.1' ? 'none' : await topicSupportOf(new Side(source), signal),
    destination: await topicSupportOf(new Side(destination), signal),
  }
}

interface Run extends ImportOptions {
  readonly version: ApiVersion
  readonly topicSupport: SidesSupport | null
  readonly state: ImportState
  readonly summary: ImportSummary
  readonly pace: Pace
  /** Messages, at the source. */
  lookedAt: number
}

/** A queue or topic of a project, and who is asked for it. */
interface Place {
  readonly project: string
  readonly row: QueueRow
  readonly source: Side
  readonly destination: Side
  /** Metadata that say nothing at the source. */
  readonly defaults: Metadata
}

async function importProject(project: string, run: Run): Promise<void> {
  const { connect, version, pools, isDry, signal, state, summary } = run
  const source = new Side(inVersion(version, await connect('source', project)))
  const destination = new Side(await connect('destination', project))
  if (pools !== null) {
    const terms = { addresses: pools, isDry, signal }
    // Pools belong to no project: those of the first are all.
    summary.pools += await importPools(source, destination, terms)
    summary.flavors += await importFlavors(source, destination, terms)
  }
  await findAll('queue', project, source, run)
  await findAll('topic', project, source, run)
  const defaults = {
    queue: await source.defaults('queue', signal),
    topic: knowsTopics(run) ? await source.defaults('topic', signal) : {},
  }
  const all = state.countQueues(project)
  let done = 0
  for (const row of state.queues(project)) {
    const share = (run.projects.indexOf(project) + done / all) / run.projects.length
    const report = await reportOf({ project, row, source, destination, defaults: defaults[row.kind] }, share, run)
    count(report, summary)
    await run.report(report)
    done += 1
  }
}

/** @throws ImportError where the listing cannot be right */
async function findAll(kind: QueueKind, project: string, source: Side, run: Run): Promise<void> {
  const { state, signal } = run
  const names = kind === 'queue' ? run.queues : run.topics
  if (names !== null) {
    for (const name of names) state.findQueue(project, { kind, name })
    return
  }
  if (kind === 'topic' && !knowsTopics(run)) return
  for await (const { name } of source.zaqar[`${kind}s`]({ signal })) {
    if (state.findQueue(project, { kind, name })) continue
    throw new ImportError(
      `the source lists the ${kind} ${name} twice: either a ${kind} was deleted meanwhile, then import again; or its storage is ` +
        `Redis, which cuts names at a dot: then name all ${kind}s by --${kind}`,
    )
  }
}

function knowsTopics({ topicSupport }: Run): boolean {
  return topicSupport !== null && topicSupport.source !== 'none'
}

async function reportOf(place: Place, share: number, run: Run): Promise<QueueReport> {
  const { project, row, source, destination } = place
  const nothing = { imported: 0, claimed: 0, delayed: 0, prolonged: 0, seen: 0 }
  const report = {
    ...{ project, kind: row.kind, name: row.name, ...nothing, unlisted: 0, gone: 0, removed: 0, subscriptions: 0 },
    verification: null,
    problems: [],
  } satisfies QueueReport
  try {
    return await bringQueue(place, report, share, run)
  } catch (error) {
    if (run.signal.aborted || !(await isOfQueue(error))) throw error
    return { ...report, problems: [(error as Error).message] }
  }

  /** Whether the next queue may do better. @throws ZaqarError where a side does not answer */
  async function isOfQueue(error: unknown): Promise<boolean> {
    if (error instanceof ImportError) return true
    if (!(error instanceof ZaqarError) || error.code === 'unauthenticated') return false
    if (error.status === 0) return false
    await source.meet(run.signal)
    await destination.meet(run.signal)
    return true
  }
}

/** Its metadata, its messages, then who is told of messages: so nobody is told of those that were told of at the source. */
async function bringQueue(place: Place, report: QueueReport, share: number, run: Run): Promise<QueueReport> {
  const { project, row, source, destination } = place
  const { state, isDry, pace, now, signal } = run
  if (row.kind === 'topic') checkTopics(run.topicSupport)
  const metadata = await bringMetadata(place, run)
  if (row.kind === 'topic' && run.topicSupport?.source === 'bare') return report
  const tally = await importQueue({
    ...{ row, project, source, destination, state, isDry, pace, now, signal },
    queueDelay: Number(metadata['_default_message_delay'] ?? 0),
    mostBytes: isDry ? Number.POSITIVE_INFINITY : await mostBytesOf(place, signal),
    progress(messages) {
      run.lookedAt += messages
      run.progress(run.lookedAt, share)
    },
  })
  const gone = state.countGone(row.id)
  const removed = run.removesGone && !isDry ? await removeGone(place, run) : 0
  const told =
    run.subscriptions && run.version !== '1.1' ? await importSubscriptions(row, { ...place, isDry, signal }) : null
  return {
    ...{ ...report, ...tally, gone, removed },
    unlisted: await unlistedOf(place, tally.seen, signal),
    subscriptions: told?.brought ?? 0,
    verification: run.verifies && !isDry ? await verifyQueue({ row, destination, state, now, signal }) : null,
    problems: told?.refused ?? [],
  }
}

/** @throws ImportError where none can be brought */
function checkTopics(support: SidesSupport | null): void {
  if (support?.source === 'none') throw new ImportError('the source knows no topics')
  if (support?.destination !== 'whole') throw new ImportError('the destination keeps no messages of topics')
}

/** Makes the queue, or changes what has changed at the source since. Answers its metadata, without what says nothing. */
async function bringMetadata({ row, source, destination, defaults }: Place, run: Run): Promise<Metadata> {
  const { version, state, isDry, signal } = run
  const metadata = ownMetadata(await source.at(row).metadata({ signal }), defaults)
  if (version === '1.1' && metadata['_enable_encrypt_messages'] === true) {
    throw new ImportError('its messages are encrypted, and version 1.1 shows them so: import it from version 2')
  }
  const text = printJson(metadata as Json)
  if (isDry || row.metadata === text) return metadata
  const target = destination.at(row)
  if (!(await target.create(metadata, { signal }))) {
    const before = row.metadata === null ? {} : (parseJson(row.metadata) as Metadata)
    const present = await target.metadata({ signal })
    const stringify = (value: unknown) => printJson(value as Json)
    const changes = changesBetween(before, metadata, { present, stringify })
    if (changes.length > 0) await target.update(changes, { signal })
  }
  state.keepMetadata(row.id, text)
  return metadata
}

async function mostBytesOf({ row, destination }: Place, signal: AbortSignal): Promise<number> {
  const { _max_messages_post_size: most } = await destination.at(row).metadata({ signal })
  return Number(most)
}

/** Removes at the destination what was consumed at the source since, or has ended there. Answers how many. */
async function removeGone({ row, destination }: Place, { state, signal }: Run): Promise<number> {
  let removed = 0
  for (;;) {
    const gone = state.goneMessages(row.id, IDS)
    if (gone.length === 0) return removed
    const ids = gone.map(({ destination_id }) => destination_id)
    await destination.at(row).deleteMessages(ids, undefined, { signal })
    state.transaction(() => {
      for (const { source_id } of gone) state.forgetMessage(row.id, source_id)
    })
    removed += gone.length
  }
}

/** Redis ends a listing at a page of messages that have all expired, though more are behind it. */
async function unlistedOf({ row, source }: Place, seen: number, signal: AbortSignal): Promise<number | null> {
  try {
    const { total } = await source.onceAt(row).stats({ signal })
    return Math.max(0, total - seen)
  } catch (error) {
    // Redis counts nothing while it has something that has expired.
    if (error instanceof ZaqarError) return null
    throw error
  }
}

/** Whether not all that the source has is at the destination, as far as anybody looked. */
export function isWrong({ problems, verification, unlisted }: QueueReport): boolean {
  return problems.length > 0 || verification?.isRight === false || unlisted !== 0
}

function count(report: QueueReport, summary: ImportSummary): void {
  summary[`${report.kind}s`] += 1
  summary.messages += report.imported
  summary.subscriptions += report.subscriptions
  summary.removed += report.removed
  if (isWrong(report)) summary.wrong += 1
}
