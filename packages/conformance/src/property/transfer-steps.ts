import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Departure, QueueHandle, WholeMessage } from 'zaqar/storage'
import { STALE } from 'zaqar/storage'
import { anyQueue, handleAge, limit } from './alphabets.ts'
import type { Pair } from './identities.ts'
import { createQueue } from './queue-steps.ts'
import { step } from './step.ts'
import type { World } from './world.ts'

/** More departures than a sequence makes. */
const ALL = 10_000

export const transferSteps = [
  step(2, 'end', { queue: anyQueue, handle: handleAge }, (world, { queue, handle }) =>
    world.withHandle(queue, handle, async (known) => {
      const { engine, model } = await world.ask(async (storage, of) => {
        const end = await storage.messages.end({ queue: of(known), now: world.now })
        return end === STALE ? STALE : { end }
      })
      if (engine === STALE || model === STALE) return
      world.found(world.placeMarkers, queue, { engine: [engine.end], model: [model.end] })
    }),
  ),

  /** Where the target goes on as the source, whatever was handed out there is as good here. */
  step(
    3,
    'export, delete and import',
    { from: anyQueue, to: anyQueue, limit, goesOn: fc.boolean() },
    (world, { from, to, limit, goesOn }) =>
      world.withHandle(from, 'latest', async (known) => {
        // What is put around an engine may have sealed bodies for their project.
        if (world.key(from).project !== world.key(to).project) return
        const pages = await exportAll(world, known, limit)
        if (pages === null) return
        await world.ask((storage, of) => storage.queues.delete({ queue: of(known), now: world.now }))
        // Who has met them meets them again, unless the same queue goes on.
        if (from !== to || !goesOn) {
          await world.mayHaveMoved()
          world.mayGoOn(from)
        }
        await createQueue(world, to, '{}')
        await world.withHandle(to, 'latest', async (target) => {
          // Twice is harmless.
          for (const page of [...pages, ...pages]) await importPage(world, target, page, goesOn)
        })
        await world.mayHaveMoved()
      }),
  ),

  /** A carrier may be stopped before it says that messages have arrived, and another one carries them again. */
  step(4, 'carry departures', { limit, isStopped: fc.boolean() }, async (world, { limit, isStopped }) => {
    const departures = await findDepartures(world, limit)
    for (let carriers = isStopped ? 2 : 1; carriers > 0; carriers -= 1) {
      for (const departure of departures) await carry(world, departure)
    }
    await world.mayHaveMoved()
    await world.ask((storage, of) =>
      storage.messages.departed({ ids: departures.map((departure) => of(departure).id), now: world.now }),
    )
  }),
]

interface Page {
  readonly messages: readonly WholeMessage[]
  readonly end: string
}

interface ExportedPage extends Page {
  readonly marker: string | null
}

/** Null when the queue has changed or gone. */
async function exportAll(world: World, queue: Pair<QueueHandle>, limit: number): Promise<Pair<Page>[] | null> {
  const pages: Pair<Page>[] = []
  for (let after: Pair<string> | null = null; ; ) {
    const page: Pair<ExportedPage> | null = await exportPage(world, queue, after, limit)
    if (page === null) return null
    pages.push(page)
    const { engine, model } = page
    if (engine.marker === null || model.marker === null) return pages
    after = { engine: engine.marker, model: model.marker }
  }
}

async function exportPage(
  world: World,
  queue: Pair<QueueHandle>,
  after: Pair<string> | null,
  limit: number,
): Promise<Pair<ExportedPage> | null> {
  const pages: ExportedPage[] = []
  await world.ask(async (storage, of) => {
    const page = await storage.messages.export({ queue: of(queue), after: after && of(after), limit, now: world.now })
    if (page === STALE) return STALE
    pages.push(page)
    return { ...page, messages: page.messages.map(withoutBody) }
  })
  const [engine, model] = pages
  return engine && model ? { engine, model } : null
}

/** Bodies are as they are stored: they are compared where they are read. */
function withoutBody<Whole extends WholeMessage>({ body: _body, ...message }: Whole): Omit<Whole, 'body'> {
  return message
}

async function importPage(world: World, queue: Pair<QueueHandle>, page: Pair<Page>, goesOn: boolean): Promise<void> {
  await world.ask((storage, of) => {
    const { messages, end } = of(page)
    return storage.messages.import({ queue: of(queue), messages, end: goesOn ? end : null, now: world.now })
  })
}

/** Those of this sequence. What an earlier one left in the store is cleared away. */
async function findDepartures(world: World, limit: number): Promise<Pair<Departure>[]> {
  const found: Departure[][] = []
  await world.ask(async (storage) => {
    const all = await storage.messages.departures({ limit: ALL, now: world.now })
    const isOurs = ({ queue }: Departure) => queue.project.startsWith(world.prefix)
    const strangers = all.filter((departure) => !isOurs(departure)).map(({ id }) => id)
    if (strangers.length > 0) await storage.messages.departed({ ids: strangers, now: world.now })
    const ours = all.filter(isOurs).slice(0, limit)
    found.push(ours)
    return ours.map((departure) => ({ ...departure, message: withoutBody(departure.message) }))
  })
  const [engine = [], model = []] = found
  return engine.map((departure, index) => {
    const other = model[index]
    assert(other)
    return { engine: departure, model: other }
  })
}

async function carry(world: World, departure: Pair<Departure>): Promise<void> {
  const target = await world.ask(async (storage, of) => {
    const { queue } = await storage.queues.create({ key: of(departure).queue, metadata: '{}', now: world.now })
    return queue
  })
  const index = world.indexOf(departure.model.queue)
  if (index !== null) world.sawQueue(index, target)
  await world.ask((storage, of) => {
    const { id, message } = of(departure)
    return storage.messages.import({
      queue: of(target),
      messages: [{ ...message, departure: id }],
      end: null,
      now: world.now,
    })
  })
}
