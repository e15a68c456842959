import { type Abilities, type Storage, StorageUnavailable } from 'zaqar/storage'
import type { Harness, ManualClock, OpenedStore } from 'zaqar-conformance'
import { openPooled, type PooledStorage } from '../../src/storage/pooled/open-pooled.ts'
import type { RelocationReports } from '../../src/storage/pooled/relocator.ts'

/** Opens one store of several; all that it is opened for see the same ids. */
export type OpenPart = (idKey: Uint8Array | undefined) => Promise<Storage>

/** The store of the service, and one for each pool. */
export interface Parts {
  readonly own: OpenPart
  readonly pools: readonly [OpenPart, OpenPart]
  drop(): Promise<void>
}

const POOLS = ['a', 'b'] as const

export const noReports: RelocationReports = { began() {}, ended() {}, troubled() {} }

/** The composite as the kit wants it: on two pools, which take turns in getting queues. */
export function pooledHarness(abilities: Abilities, prepare: (clock: ManualClock) => Promise<Parts>): Harness {
  return {
    abilities: { ...abilities, engine: 'pooled', carriesDepartures: true },
    async open(clock): Promise<OpenedStore> {
      const parts = await prepare(clock)
      const open = async () => carriedAtOnce(await openParts(parts, clock))
      return {
        storage: await open(),
        reopen: open,
        ...(abilities.severalProcesses && { openSecondClient: open }),
        drop: () => parts.drop(),
      }
    },
  }
}

/** Both pools are registered, and open. `isAway`: whether a pool cannot be reached at present. */
async function openParts(
  { own: openOwn, pools }: Parts,
  clock: ManualClock,
  isAway: (pool: string) => boolean = () => false,
): Promise<PooledStorage> {
  const own = await openOwn(undefined)
  for (const name of POOLS) {
    const pool = { name, uri: `test:${name}`, weight: 1, options: '{}', flavor: null }
    await own.pools.putPool({ project: '', pool })
  }
  let turn = 0
  const storage = await openPooled({
    own,
    isOwn: () => false,
    async openPool({ name }) {
      const open = pools[POOLS.indexOf(name as (typeof POOLS)[number])]
      if (open === undefined || isAway(name)) throw new StorageUnavailable('there is no such store')
      return awayAtTimes(await open(own.idKey), () => isAway(name))
    },
    usesOwn: false,
    clock,
    draw: () => (turn++ % POOLS.length) / POOLS.length,
    flavorOf: () => null,
    relocationReports: noReports,
    report: (error) => {
      throw error
    },
  })
  await storage.engines.openAll()
  return storage
}

/** Dead letters and redrives are there when the move that sent them is answered, as the kit expects it of one store. */
function carriedAtOnce(storage: PooledStorage): Storage {
  const { messages, claims, carrier } = storage
  const carried = async <T>(pool: string | undefined, answer: Promise<T>): Promise<T> => {
    const answered = await answer
    await carrier.nudge(pool)
    return answered
  }
  return {
    ...storage,
    messages: {
      ...messages,
      pop: (p) => carried(p.queue.pool, messages.pop(p)),
      redrive: (p) => carried(p.queue.pool, messages.redrive(p)),
    },
    claims: {
      ...claims,
      create: (p) => carried(p.queue.pool, claims.create(p)),
      exchange: (p) => carried(p.queue.pool, claims.exchange(p)),
    },
  }
}

/** What is asked of the store while it is away fails, and does nothing. */
function awayAtTimes(storage: Storage, isAway: () => boolean): Storage {
  const guarded = <Store extends object>(store: Store): Store =>
    Object.fromEntries(
      Object.entries(store).map(([name, method]) => [
        name,
        async (p: unknown) => {
          if (isAway()) throw new StorageUnavailable('the store is away')
          return method(p)
        },
      ]),
    ) as Store
  const { queues, messages, claims, subscriptions, deliveries } = storage
  return {
    ...storage,
    queues: guarded(queues),
    messages: guarded(messages),
    claims: guarded(claims),
    subscriptions: guarded(subscriptions),
    deliveries: guarded(deliveries),
  }
}
