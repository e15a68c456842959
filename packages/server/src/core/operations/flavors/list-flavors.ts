import { defineOperation } from '../../execute.ts'
import { pageSize } from '../../rules/limits.ts'
import { type ShownFlavor, showFlavor } from './show-flavor.ts'

export interface ListFlavorsInput {
  readonly marker?: string | undefined
  readonly limit?: number | undefined
  /** Whether to say what they can do: their pools are asked. */
  readonly detailed?: boolean | undefined
}

export type ListedFlavor = Omit<ShownFlavor, 'capabilities'> & Partial<ShownFlavor>

export const listFlavors = defineOperation({
  name: 'flavors.list',
  permission: 'flavors:get_all',
  failure: 'Flavors could not be listed',
  async run({ marker, limit, detailed }: ListFlavorsInput, ctx): Promise<readonly ListedFlavor[]> {
    const { project } = ctx.caller
    const page = { project, after: marker ?? null, limit: pageSize(limit, ctx.limits.maxFlavorsPerPage) }
    const flavors = await ctx.storage.pools.listFlavors(page)
    return detailed ? Promise.all(flavors.map((flavor) => showFlavor(flavor, ctx))) : flavors
  },
})
