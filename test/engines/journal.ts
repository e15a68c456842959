/**
 * An engine as somebody else might write it, on nothing but what the packages export. It keeps its state in memory, as
 * the model of the conformance kit does, and every move in a journal from which the state comes back: the model takes
 * its ids from a counter and the time from the moves, so the same moves lead to the same state.
 *
 * Named in the configuration as `module:/path/to/journal.ts?file=/path/to/journal`.
 */
import { closeSync, existsSync, fdatasyncSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs'
import { type Abilities, type Clock, type QueueKey, type Storage, StorageUnavailable } from 'zaqar/storage'
import { createModel, createModelState, endLeases, type ModelState } from 'zaqar-conformance'

const OPENED = 'opened'

/** The stores of a storage, whose moves change its state. */
const STORES = [
  'queues',
  'messages',
  'claims',
  'subscriptions',
  'deliveries',
  'pools',
  'placements',
  'relocations',
] as const
type StoreName = (typeof STORES)[number]

/**
 * What was done. A move: where, which, and with what parameters. Or what is removed from a queue was to be kept from
 * then on, or no longer: it shows in the markers that were handed out. Or the store was opened.
 */
type Move =
  | readonly [store: StoreName, method: string, parameters: unknown]
  | readonly ['keep', keeper: number, queue: QueueKey]
  | readonly ['keep no more', keeper: number]
  | typeof OPENED
type Methods = Record<string, (parameters: unknown) => Promise<unknown>>

/** What the module of an engine exports: what it can do, and how it is opened. */
export const abilities: Abilities = {
  engine: 'journal',
  survivesReopen: true,
  severalProcesses: false,
  keepsRegistry: true,
}

export async function openStorage({ uri, clock }: { uri: string; clock: Clock }): Promise<Storage> {
  const path = new URL(uri).searchParams.get('file')
  if (path === null) throw new StorageUnavailable('the journal engine needs ?file=PATH')
  const state = createModelState()
  const model = createModel(clock, state)
  if (existsSync(path)) await replay(path, model, state)
  const journal = openSync(path, 'a', 0o600)
  let isOpen = true
  const record = (move: Move) => {
    // Closed, the model refuses by itself.
    if (!isOpen) return
    writeSync(journal, `${JSON.stringify(move)}\n`)
    fdatasyncSync(journal)
  }
  record(OPENED)
  endLeases(state)
  let keepers = 0
  return {
    ...model,
    ...recorded(model, record),
    abilities,
    weakness: () => null,
    async keepGone(queue) {
      const keeper = keepers++
      record(['keep', keeper, queue])
      const end = await model.keepGone(queue)
      return () => {
        record(['keep no more', keeper])
        end()
      }
    },
    async close() {
      await model.close()
      if (isOpen) closeSync(journal)
      isOpen = false
    },
  }
}

/** Does again what was done. What a crash left of a last line was never answered, and goes. */
async function replay(path: string, model: Storage, state: ModelState): Promise<void> {
  const text = readFileSync(path, 'utf8')
  const whole = text.slice(0, text.lastIndexOf('\n') + 1)
  truncateSync(path, Buffer.byteLength(whole))
  const keepers = new Map<number, () => void>()
  const endKeepers = () => {
    for (const end of keepers.values()) end()
    keepers.clear()
  }
  for (const line of whole.split('\n').slice(0, -1)) {
    const move = JSON.parse(line) as Move
    if (move === OPENED) {
      endLeases(state)
      endKeepers()
    } else if (move[0] === 'keep') {
      keepers.set(move[1], await model.keepGone(move[2]))
    } else if (move[0] === 'keep no more') {
      keepers.get(move[1])?.()
    } else {
      const [store, method, parameters] = move
      await (model[store] as unknown as Methods)[method]?.(parameters)
    }
  }
  endKeepers()
}

/**
 * The stores, whose every move is in the journal before it happens. Reads are, too: they count the markers they hand
 * out.
 */
function recorded(model: Storage, record: (move: Move) => void): Pick<Storage, StoreName> {
  const stores = STORES.map((store) => {
    const methods = Object.entries(model[store]).map(([method, run]) => [
      method,
      async (parameters: unknown) => {
        record([store, method, parameters])
        return run(parameters)
      },
    ])
    return [store, Object.fromEntries(methods)]
  })
  return Object.fromEntries(stores)
}
