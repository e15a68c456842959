import type { Flavor } from '../../../model/model.ts'
import { StorageUnavailable } from '../../../storage/contract.ts'
import type { Context } from '../../execute.ts'
import { capabilitiesOf } from '../../rules/capabilities.ts'

/** As it is shown. */
export interface ShownFlavor extends Flavor {
  readonly capabilities: readonly string[]
}

type Stores = Pick<Context, 'storage' | 'poolEngines'>

/** With what its stores can do as they are set up. */
export async function showFlavor(flavor: Flavor, stores: Stores): Promise<ShownFlavor> {
  const weaknesses = flavor.pools.length === 0 ? [] : await weaknessesFor(flavor, stores)
  return { ...flavor, capabilities: capabilitiesOf(weaknesses) }
}

/** A queue is lost when its pool loses it, or the catalogue does. Without pooling all lie in the store of the service. */
async function weaknessesFor(
  { pools }: Flavor,
  { storage, poolEngines }: Stores,
): Promise<(string | null | undefined)[]> {
  if (poolEngines === null) return [storage.weakness()]
  const engines = await Promise.all(pools.map((pool) => poolEngines.open(pool).catch(unlessAway)))
  return [poolEngines.own, ...engines].map((engine) => engine?.weakness())
}

function unlessAway(error: unknown): null {
  if (error instanceof StorageUnavailable) return null
  throw error
}
