import type { Flavor, Pool } from '../../model/model.ts'
import { isStorable } from '../../model/text.ts'
import type { PoolStore } from '../contract.ts'
import { type Engine, storableAfter } from './engine.ts'

type PoolRow = [name: string, uri: string, weight: number, options: string, flavor: string | null]
type FlavorRow = [name: string, pools: string[]]

export function createPoolStore({ lanes }: Engine): PoolStore {
  return {
    putPool: ({ project, pool }) =>
      lanes.service<'stored' | 'uri-in-use' | 'draining'>('put_pool', { project, ...pool }),

    async getPool({ project, name }) {
      if (!isStorable(name)) return null
      const row = await lanes.service<PoolRow | null>('get_pool', { project, name })
      return row && toPool(row)
    },

    async listPools({ project, after, limit }) {
      const rows = await lanes.service<PoolRow[]>('list_pools', { project, after: storableAfter(after), limit })
      return rows.map(toPool)
    },

    async updatePool(given) {
      if (!isStorable(given.name)) return 'absent'
      // What is undefined is left out of the JSON text.
      const answer = await lanes.service<PoolRow | 'absent' | 'uri-in-use' | 'draining'>('update_pool', { ...given })
      return typeof answer === 'string' ? answer : toPool(answer)
    },

    async deletePool({ name }) {
      if (!isStorable(name)) return { deleted: true }
      const answer = await lanes.service<string[] | 'queues'>('delete_pool', { name })
      if (answer === 'queues') return { deleted: false, holds: answer }
      return answer.length === 0 ? { deleted: true } : { deleted: false, flavors: answer }
    },

    async putFlavor({ flavor }) {
      const unknownPool = await lanes.service<string | null>('put_flavor', { ...flavor })
      return unknownPool === null ? { stored: true } : { stored: false, unknownPool }
    },

    async updateFlavor({ flavor }) {
      const unknownPool = await lanes.service<string | null | false>('update_flavor', { ...flavor })
      if (unknownPool === false) return 'absent'
      return unknownPool === null ? { stored: true } : { stored: false, unknownPool }
    },

    async getFlavor({ project, name }) {
      if (!isStorable(name)) return null
      const row = await lanes.service<FlavorRow | null>('get_flavor', { project, name })
      return row && toFlavor(project, row)
    },

    async listFlavors({ project, after, limit }) {
      const rows = await lanes.service<FlavorRow[]>('list_flavors', { project, after: storableAfter(after), limit })
      return rows.map((row) => toFlavor(project, row))
    },

    async deleteFlavor({ project, name }) {
      if (isStorable(name)) await lanes.service('delete_flavor', { project, name })
    },
  }
}

function toPool([name, uri, weight, options, flavor]: PoolRow): Pool {
  return { name, uri, weight, options, flavor }
}

function toFlavor(project: string, [name, pools]: FlavorRow): Flavor {
  return { project, name, pools }
}
