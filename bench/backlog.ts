import { type Contents, fill, QUEUE } from './fill.ts'
import { type Operation, operations, Probe } from './probe.ts'
import { type RunningServer, startService } from './service.ts'
import { median } from './statistics.ts'
import type { Store, Stores } from './stores.ts'

export interface BacklogScale {
  /** Numbers of free messages; the first is what the others are compared with. */
  readonly sizes: readonly number[]
  readonly headMessages: number
  readonly rounds: number
  readonly starts: number
}

interface BacklogRow {
  readonly operation: string
  /** Medians, in the order of the columns. */
  readonly milliseconds: readonly number[]
}

export interface BacklogTable {
  readonly columns: readonly string[]
  readonly rows: readonly BacklogRow[]
}

export interface BacklogFigures {
  /** Operations on a running service. */
  readonly running: BacklogTable | null
  /** Operations of which each is the first that a service just started gets for the queue. */
  readonly first: BacklogTable | null
}

/** A filled store that stays as it is; services run on copies of it. */
interface Original {
  readonly title: string
  readonly contents: Contents
  readonly store: Store
  readonly newestId: string
}

const WARM_UP_ROUNDS = 50

/** What operations cost beside the contents of their queue, one request at a time. */
export async function measureBacklog(
  stores: Stores,
  scale: BacklogScale,
  wanted: { readonly running: boolean; readonly first: boolean },
): Promise<BacklogFigures> {
  const originals: Original[] = []
  try {
    for (const contents of contentsFor(scale)) originals.push(await prepare(stores, contents))
    const lasting = originals.filter(({ contents }) => contents.head !== 'expired')
    return {
      running: wanted.running ? await measureRunning(lasting, scale.rounds) : null,
      first: wanted.first ? await measureFirst(originals, scale.starts) : null,
    }
  } finally {
    for (const { store } of originals) await store.remove()
  }
}

function contentsFor({ sizes, headMessages }: BacklogScale): Contents[] {
  const [freeMessages = 0] = sizes
  return [
    ...sizes.map((size): Contents => ({ head: null, headMessages: 0, freeMessages: size })),
    ...(['claimed', 'delayed', 'expired'] as const).map((head): Contents => ({ head, headMessages, freeMessages })),
  ]
}

async function prepare(stores: Stores, contents: Contents): Promise<Original> {
  const store = await stores.create()
  const newestId = await fill(store, contents)
  const { head, headMessages, freeMessages } = contents
  const title = `${(head === null ? freeMessages : headMessages).toLocaleString('en')} ${head ?? 'free'}`
  return { title, contents, store, newestId }
}

/**
 * The stores are served by a process each, and asked in turn, so that a moment at which the machine is slow meets all
 * alike.
 */
async function measureRunning(originals: readonly Original[], rounds: number): Promise<BacklogTable> {
  const repeatable = operations.filter(({ empties }) => !empties)
  const services: RunningServer[] = []
  try {
    for (const original of originals) services.push(await serveCopy(original))
    const probes = await Promise.all(services.map(({ target }) => Probe.open(target, QUEUE)))
    const samples = repeatable.map(() => originals.map((): number[] => []))
    for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
      for (const probe of probes) await probe.replenish()
      for (const [row, operation] of repeatable.entries()) {
        for (const [column, probe] of probes.entries()) {
          const milliseconds = await probe.time(operation)
          if (round >= 0) samples[row]?.[column]?.push(milliseconds)
        }
      }
    }
    for (const probe of probes) probe.close()
    return tableOf(repeatable, originals, samples)
  } finally {
    for (const service of services) await service.stop()
  }
}

/**
 * What can happen only once to a queue: being emptied, and being met with all that has expired while nobody served it.
 */
async function measureFirst(originals: readonly Original[], starts: number): Promise<BacklogTable> {
  const samples = operations.map(() => originals.map((): number[] => []))
  for (let start = 0; start < starts; start++) {
    for (const [row, operation] of operations.entries()) {
      for (const [column, original] of originals.entries()) {
        const service = await serveCopy(original)
        try {
          samples[row]?.[column]?.push(await timeFirst(service, operation, original.newestId))
        } finally {
          await service.stop()
        }
      }
    }
  }
  return tableOf(operations, originals, samples)
}

async function timeFirst({ target }: RunningServer, operation: Operation, newestId: string): Promise<number> {
  const elsewhere = await Probe.open(target, `${QUEUE}-warm-up`)
  for (let round = 0; round < WARM_UP_ROUNDS; round++) {
    await elsewhere.replenish()
    for (const each of operations) await elsewhere.time(each)
  }
  elsewhere.close()
  const probe = await Probe.open(target, QUEUE, newestId)
  const milliseconds = await probe.time(operation)
  probe.close()
  return milliseconds
}

async function serveCopy(original: Original): Promise<RunningServer> {
  const copy = await original.store.copy()
  const service = await startService(copy.uri)
  return {
    ...service,
    async stop() {
      await service.stop()
      await copy.remove()
    },
  }
}

function tableOf(
  measured: readonly Operation[],
  originals: readonly Original[],
  samples: readonly (readonly (readonly number[])[])[],
): BacklogTable {
  return {
    columns: originals.map(({ title }) => title),
    rows: measured.map(({ title }, row) => ({
      operation: title,
      milliseconds: (samples[row] ?? []).map((values) => median(values)),
    })),
  }
}
