import type { Pool, QueueKey } from '../../model/model.ts'
import { type Placement, StorageUnavailable } from '../contract.ts'
import { drawPool } from '../draw-pool.ts'
import { adoptOwn, type Destination, type Plan, type PlanParts, placementsOn } from './plan.ts'
import type { ProjectPools } from './project-pools.ts'

/** All queues of the pool go, each to another that is drawn as for a new queue. `projectPools`: as they are at present. */
export async function planDrain(pool: string, projectPools: ProjectPools, parts: PlanParts): Promise<Plan> {
  const { engines, placing, placements, clock, draw, flavorOf } = parts

  /** Those that a new queue of the flavor could go to. Where no pool has it any more, those beside the one where it lies. */
  async function poolsFor({ project }: QueueKey, flavor: string | null): Promise<readonly Pool[]> {
    const pools = await projectPools.of(project)
    const isThere = pools.some((one) => one.flavor === flavor)
    const wanted = isThere ? flavor : (pools.find(({ name }) => name === pool)?.flavor ?? null)
    return pools.filter((one) => one.name !== pool && one.weight > 0 && one.flavor === wanted)
  }

  /** Draws one that can be reached. @throws StorageUnavailable when none of them can */
  async function drawReachable(pools: readonly Pool[], preferred: string | null): Promise<string | null> {
    const without: string[] = []
    let trouble: StorageUnavailable | null = null
    let name = pools.some((one) => one.name === preferred) ? preferred : drawPool(pools, without, draw())
    for (; name !== null; name = drawPool(pools, without, draw())) {
      try {
        const engine = await engines.open(name)
        if (engine?.moves !== undefined) return name
      } catch (error) {
        if (!(error instanceof StorageUnavailable)) throw error
        trouble = error
      }
      without.push(name)
    }
    if (trouble !== null) throw trouble
    return null
  }

  const plan: Plan = {
    left: 0,

    candidates: () => placementsOn(parts, pool),

    async destinationOf(placement: Placement): Promise<Destination> {
      const { project, kind, name, target } = placement
      const key = { project, kind, name }
      const queue = await placing.get(key, clock.now())
      if (queue?.pool !== pool) {
        // A row that nobody came back to keeps the pool from being deleted.
        if (queue === null) await placing.removeMissing(key, pool, clock.now())
        plan.left -= 1
        return null
      }
      const flavor = flavorOf(queue.metadata)
      // Who began before may have left a part of the copy at the target.
      const to = await drawReachable(await poolsFor(key, flavor), target)
      if (to !== null) return { to }
      const pools = flavor === null ? 'without a flavor' : `of the flavor ${flavor}`
      return { stays: `no other pool ${pools} can take the ${kind} ${name} of the project ${project}` }
    },

    stayed() {},

    isOver: async () => (await placements.listPool({ pool, after: null, limit: 1 })).length === 0,
  }
  await adoptOwn(parts, [pool])
  for await (const _ of placementsOn(parts, pool)) plan.left += 1
  return plan
}
