import type { Pool } from '../../model/model.ts'
import type { Placement } from '../contract.ts'
import { adoptOwn, type Plan, type PlanParts, placementsOn } from './plan.ts'
import { ProjectPools } from './project-pools.ts'
import { surplusOf } from './surplus.ts'

/** Pools that share queues among each other: of one flavor, or of none, as some projects see them. */
interface Group {
  readonly pools: readonly Pool[]
  readonly queues: Map<string, number>
  /** See `surplusOf`. */
  surplus: Map<string, number>
}

/**
 * So many queues go from pools that have too many to those that have too few that all are in proportion to the weights.
 * Pools of weight 0 take no part. `latest`: the pools as they are when a queue is about to go.
 */
export async function planRebalance(latest: ProjectPools, parts: PlanParts): Promise<Plan> {
  const groups = new Map<string, Group>()
  // The plan holds for the pools as they are now.
  const projectPools = new ProjectPools(parts.pools)
  const names = (await projectPools.of('')).map(({ name }) => name)

  /** Null where the queue stays. */
  async function groupOf({ project, pool }: Placement): Promise<Group | null> {
    const all = await projectPools.of(project)
    const own = all.find(({ name }) => name === pool)
    if (own === undefined || own.weight === 0) return null
    const pools = all.filter(({ flavor, weight }) => flavor === own.flavor && weight > 0)
    const id = JSON.stringify(pools.map(({ name }) => name))
    const known = groups.get(id)
    if (known !== undefined) return known
    const group = { pools, queues: new Map<string, number>(), surplus: new Map<string, number>() }
    groups.set(id, group)
    return group
  }

  async function* settled(): AsyncGenerator<Placement> {
    for (const name of names) {
      for await (const placement of placementsOn(parts, name)) if (placement.isSettled) yield placement
    }
  }

  const add = (counts: Map<string, number>, pool: string, queues: number) =>
    counts.set(pool, (counts.get(pool) ?? 0) + queues)
  const goes = (group: Group, from: string, to: string) => {
    add(group.surplus, from, -1)
    add(group.surplus, to, 1)
  }

  const plan: Plan = {
    left: 0,

    async *candidates() {
      if (plan.left === 0) return
      for await (const placement of settled()) {
        const group = await groupOf(placement)
        if ((group?.surplus.get(placement.pool) ?? 0) > 0) yield placement
      }
    },

    async destinationOf(placement) {
      const { pool } = placement
      const group = await groupOf(placement)
      const now = await latest.of('')
      const isOpen = (name: string) => now.some((one) => one.name === name && one.weight > 0)
      if (group === null || (group.surplus.get(pool) ?? 0) <= 0) return null
      const [poorest] = [...group.surplus].filter(([name, surplus]) => surplus < 0 && isOpen(name)).sort(byCount)
      if (poorest === undefined) return null
      const [to] = poorest
      goes(group, pool, to)
      return { to }
    },

    stayed({ pool }, to) {
      for (const group of groups.values()) {
        if (group.surplus.has(pool) && group.surplus.has(to)) return goes(group, to, pool)
      }
    },

    isOver: async () => true,
  }
  await adoptOwn(parts, names)
  for await (const placement of settled()) {
    const group = await groupOf(placement)
    if (group !== null) add(group.queues, placement.pool, 1)
  }
  for (const group of groups.values()) {
    const { pools, queues } = group
    group.surplus = surplusOf(pools.map(({ name, weight }) => ({ name, weight, queues: queues.get(name) ?? 0 })))
    for (const surplus of group.surplus.values()) plan.left += Math.max(0, surplus)
  }
  return plan
}

function byCount([, a]: [string, number], [, b]: [string, number]): number {
  return a - b
}
