/** Brings the messages of one queue or topic to the destination: those that came since the last pass, each once, in order. */
import { createHash } from 'node:crypto'
import { type Message, type NewMessage, ZaqarError } from 'zaqar-client/http'
import { parseJson, printJson } from '../../model/json.ts'
import type { Instant, Json } from '../../model/model.ts'
import { pause } from '../../platform/pause.ts'
import { ImportError } from './import-error.ts'
import type { ImportedMessage, ImportState, QueueRow } from './import-state.ts'
import { delayedIn, isEmpty, type MessagePage, messagePages } from './listings.ts'
import { canBeDelayed, remainingDelay, remainingLife, wholeSeconds } from './message-terms.ts'
import type { Pace } from './pace.ts'
import type { Side } from './side.ts'

export interface QueueImportOptions {
  readonly row: QueueRow
  readonly project: string
  readonly source: Side
  readonly destination: Side
  readonly state: ImportState
  /** Seconds that messages of the queue are delayed where they do not say; 0: none is. */
  readonly queueDelay: number
  /** Bytes of one POST, at the most. */
  readonly mostBytes: number
  readonly isDry: boolean
  readonly pace: Pace
  now(): Instant
  /** Told how many more messages were looked at. */
  progress(messages: number): void
  readonly signal: AbortSignal
}

/** What one pass has met. */
export interface QueueTally {
  /** New at the destination. */
  imported: number
  /** Of these, those that a claim holds at the source. */
  claimed: number
  /** Of these, those that are delayed still. */
  delayed: number
  /** Of these, those that live longer than at the source, since no life is shorter than 60 seconds. */
  prolonged: number
  /** At the source, those that came before, too. */
  seen: number
}

/** A message that no pass has met, and its place among those that this one has. */
type FreshMessage = Message<Json> & { readonly position: number }

/** A message on its way, as it is kept in the state. */
interface PlannedMessage {
  readonly sourceId: string
  readonly position: number
  readonly isDelayed: boolean
  readonly message: NewMessage & { readonly ttl: number }
}

/** Tries of a POST of which nobody knows what has become. */
const TRIES = 6
const FIRST_PAUSE_MS = 500
/** `{"messages": []}` with what stands between two of them. */
const FRAME_BYTES = 20

/** @throws ImportError, ZaqarError, or the reason of the signal */
export async function importQueue(options: QueueImportOptions): Promise<QueueTally> {
  const { row, state, source, destination, signal, isDry } = options
  if (row.is_begun === 0) {
    if (!isDry && !(await isEmpty(destination.at(row), signal))) throw holdsMessages(row.name)
    state.transaction(() => state.beginQueue(row.id))
  } else if (!isDry) {
    await finishPlanned(options)
  }
  const tally = { imported: 0, claimed: 0, delayed: 0, prolonged: 0, seen: 0 }
  for await (const page of messagePages(source.at(row), { limit: source.messagePages, signal })) {
    const fresh: FreshMessage[] = []
    state.transaction(() => {
      for (const message of page.messages) {
        const known = state.bySourceId(row.id, message.id)
        if (known?.pass === state.pass) continue
        tally.seen += 1
        if (known === undefined) fresh.push({ ...message, position: tally.seen })
        else state.seeMessage(row.id, message.id, tally.seen)
      }
    })
    const planned = await plan(page, fresh, tally, options)
    for (const batch of batchesOf(planned, options.mostBytes)) await bring(batch, options)
    tally.imported += planned.length
    options.progress(page.messages.length)
    await options.pace.done(page.messages.length, signal)
  }
  return tally
}

function holdsMessages(name: string): ImportError {
  return new ImportError(
    `${name} holds messages at the destination that this import has not brought: purge it there, or name the state file that has brought them`,
  )
}

/** What the new messages of a page are posted with. */
async function plan(
  page: MessagePage,
  fresh: readonly FreshMessage[],
  tally: QueueTally,
  { row, source, queueDelay, signal }: QueueImportOptions,
): Promise<PlannedMessage[]> {
  const mayBeDelayed = queueDelay > 0 && fresh.some(({ age }) => canBeDelayed(wholeSeconds(age)))
  const delayed = mayBeDelayed
    ? await delayedIn(page, source.at(row), { limit: source.messagePages, signal })
    : new Set<string>()
  return fresh.map(({ id, href, body, position, ...shown }) => {
    const terms = { ttl: wholeSeconds(shown.ttl), age: wholeSeconds(shown.age) }
    const life = remainingLife(terms)
    const isDelayed = delayed.has(id)
    if (href.includes('?claim_id=')) tally.claimed += 1
    if (isDelayed) tally.delayed += 1
    if (life > terms.ttl - terms.age) tally.prolonged += 1
    const delay = isDelayed ? remainingDelay(terms.age, { queueDelay, life }) : 0
    // A queue that delays would delay what says nothing; another one would not look at it.
    const message = { body, ttl: life, ...(queueDelay > 0 && { delay }) }
    return { sourceId: id, position, isDelayed, message }
  })
}

/** As many together as a POST may have bytes. One that is too long comes alone, and is refused by name. */
function* batchesOf(planned: readonly PlannedMessage[], mostBytes: number): Generator<PlannedMessage[], void> {
  let batch: PlannedMessage[] = []
  let bytes = FRAME_BYTES
  for (const entry of planned) {
    const size = Buffer.byteLength(printJson(entry.message as unknown as Json)) + 2
    if (batch.length > 0 && bytes + size > mostBytes) {
      yield batch
      batch = []
      bytes = FRAME_BYTES
    }
    batch.push(entry)
    bytes += size
  }
  if (batch.length > 0) yield batch
}

async function bring(batch: readonly PlannedMessage[], options: QueueImportOptions): Promise<void> {
  const { row, state, isDry } = options
  const key = keyOf(batch, options)
  if (isDry) return state.finishBatch(row.id, imported(batch, [], options.now()), state.pass)
  state.transaction(() => state.planBatch(row.id, key, printJson(batch as unknown as Json)))
  await post(batch, key, state.pass, options)
}

/** A batch that a pass before this one has planned: the destination may have it, or not. */
async function finishPlanned(options: QueueImportOptions): Promise<void> {
  const { row, state } = options
  const planned = state.plannedBatch(row.id)
  if (planned === undefined) return
  const batch = parseJson(planned.messages) as unknown as PlannedMessage[]
  const found = await findAtDestination(batch, options)
  // Whether the source has them still, this pass is yet to see.
  const pass = state.pass - 1
  if (found !== null) finish(batch, found, pass, options)
  else await post(batch, planned.key, pass, options)
}

/**
 * Posts it until it is known that the destination has it, once. Our service knows the key; of upstream's, which does not, what
 * became of a POST without an answer is seen in its listing.
 */
async function post(
  batch: readonly PlannedMessage[],
  key: string,
  pass: number,
  options: QueueImportOptions,
): Promise<void> {
  const { row, destination, signal } = options
  const messages = batch.map(({ message }) => message)
  for (let tries = 1; ; tries++) {
    try {
      const ids = await destination.onceAt(row).postAll(messages, { idempotencyKey: key, signal })
      return finish(batch, ids, pass, options)
    } catch (error) {
      if (!(error instanceof ZaqarError) || !mayHelp(error) || tries === TRIES) throw named(error, batch)
      await pause(Math.max((error.retryAfterSeconds ?? 0) * 1000, FIRST_PAUSE_MS * 2 ** tries), signal)
      signal.throwIfAborted()
      const found = error.code === 'unavailable' ? null : await findAtDestination(batch, options)
      if (found !== null) return finish(batch, found, pass, options)
    }
  }
}

function mayHelp({ code }: ZaqarError): boolean {
  return ['unreachable', 'timeout', 'unavailable', 'server_error'].includes(code)
}

/** With the message, where the destination does not take one. */
function named(error: unknown, [first, second]: readonly PlannedMessage[]): unknown {
  if (!(error instanceof ZaqarError) || !error.isFinal || second !== undefined) return error
  return new ImportError(`message ${first?.sourceId} of the source: ${error.message}`)
}

function finish(
  batch: readonly PlannedMessage[],
  ids: readonly string[],
  pass: number,
  { row, state, now }: QueueImportOptions,
): void {
  state.transaction(() => state.finishBatch(row.id, imported(batch, ids, now()), pass))
}

/** Without ids where nothing was posted. */
function imported(batch: readonly PlannedMessage[], ids: readonly string[], now: Instant): ImportedMessage[] {
  return batch.map(({ sourceId, position, isDelayed, message }, index) => ({
    sourceId,
    destinationId: ids[index] ?? '',
    isDelayed,
    expiresAt: now + wholeSeconds(message.ttl) * 1000,
    digest: digestOf(message.body),
    position,
  }))
}

/**
 * Ids of its messages at the destination; null where they are not there. They stand together there, and nobody else has
 * brought them: whoever posts into the queue meanwhile would have to post the same.
 */
async function findAtDestination(
  batch: readonly PlannedMessage[],
  { row, state, destination, signal }: QueueImportOptions,
): Promise<string[] | null> {
  const wanted = batch.map(({ message }) => digestOf(message.body).toString('hex'))
  const unknown: { readonly id: string; readonly digest: string }[] = []
  const seen = new Set<string>()
  for await (const { messages } of messagePages(destination.at(row), {
    limit: destination.messagePages,
    signal,
  })) {
    for (const { id, body } of messages) {
      if (state.byDestinationId(row.id, id) !== undefined || seen.has(id)) continue
      unknown.push({ id, digest: digestOf(body).toString('hex') })
      seen.add(id)
      if (unknown.length > wanted.length) seen.delete((unknown.shift() as { id: string }).id)
      const isFound = unknown.length === wanted.length && unknown.every(({ digest }, index) => digest === wanted[index])
      if (isFound) return unknown.map(({ id }) => id)
    }
  }
  return null
}

/** Names what is posted, so that the destination knows it again. */
function keyOf(batch: readonly PlannedMessage[], { project, row }: QueueImportOptions): string {
  const hash = createHash('sha256').update(`${project}\0${row.kind}\0${row.name}`)
  for (const { sourceId } of batch) hash.update(`\0${sourceId}`)
  return `import-${hash.digest('hex')}`
}

/** Of the JSON of a body, the same for all spellings of blanks and escapes. */
export function digestOf(body: unknown): Buffer {
  return createHash('sha256')
    .update(printJson(body as Json))
    .digest()
}
