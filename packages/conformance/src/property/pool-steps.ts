import fc from 'fast-check'
import { limit } from './alphabets.ts'
import { step } from './step.ts'

const poolName = fc.constantFrom('east', 'north', 'west')
const flavorName = fc.constantFrom('gold', 'silver')
const project = fc.constantFrom('mine', 'yours')
const someFlavor = { project, name: flavorName, pools: fc.subarray(['east', 'north', 'west'], { minLength: 1 }) }
const poolChanges = fc.record(
  {
    uri: poolName,
    weight: fc.nat(2),
    options: fc.constant('{"n": 1}'),
    flavor: fc.constantFrom(null, 'gold', 'silver'),
  },
  { requiredKeys: [] },
)

/** Pools are of no project, so their names and URIs carry the prefix of the sequence, and listings start after it. */
export const poolSteps = [
  step(
    2,
    'put pool',
    { project, name: poolName, uri: poolName, weight: fc.nat(2), flavor: fc.constantFrom(null, 'gold') },
    (world, { project, name, uri, ...terms }) => {
      const pool = { name: world.prefix + name, uri: `redis://${world.prefix}${uri}`, options: '{}', ...terms }
      return world.ask((storage) => storage.pools.putPool({ project: world.prefix + project, pool }))
    },
  ),

  step(1, 'get pool', { project, name: poolName }, (world, { project, name }) =>
    world.ask((storage) => storage.pools.getPool({ project: world.prefix + project, name: world.prefix + name })),
  ),

  step(
    1,
    'list pools',
    { project, after: fc.oneof(fc.constant(''), poolName), limit },
    (world, { project, after, limit }) =>
      world.ask((storage) =>
        storage.pools.listPools({ project: world.prefix + project, after: world.prefix + after, limit }),
      ),
  ),

  step(
    1,
    'update pool',
    { project, name: poolName, changes: poolChanges },
    (world, { project, name, changes: { uri, ...changes } }) =>
      world.ask((storage) =>
        storage.pools.updatePool({
          project: world.prefix + project,
          name: world.prefix + name,
          ...(uri !== undefined && { uri: `redis://${world.prefix}${uri}` }),
          ...changes,
        }),
      ),
  ),

  step(1, 'delete pool', { name: poolName }, (world, { name }) =>
    world.ask((storage) => storage.pools.deletePool({ name: world.prefix + name })),
  ),

  step(1, 'drain pool', { name: poolName, rate: fc.constantFrom(null, 5) }, (world, { name, rate }) =>
    world.ask((storage) => storage.relocations.begin({ pool: world.prefix + name, rate, now: world.now })),
  ),

  step(1, 'get drain', { name: poolName }, (world, { name }) =>
    world.ask((storage) => storage.relocations.get({ pool: world.prefix + name })),
  ),

  step(1, 'cancel drain', { name: poolName }, (world, { name }) =>
    world.ask((storage) => storage.relocations.cancel({ pool: world.prefix + name, now: world.now })),
  ),

  step(2, 'put flavor', someFlavor, (world, { project, name, pools }) => {
    const flavor = { project: world.prefix + project, name, pools: pools.map((pool) => world.prefix + pool) }
    return world.ask((storage) => storage.pools.putFlavor({ flavor }))
  }),

  step(1, 'update flavor', someFlavor, (world, { project, name, pools }) => {
    const flavor = { project: world.prefix + project, name, pools: pools.map((pool) => world.prefix + pool) }
    return world.ask((storage) => storage.pools.updateFlavor({ flavor }))
  }),

  step(1, 'get flavor', { project, name: flavorName }, (world, { project, name }) =>
    world.ask((storage) => storage.pools.getFlavor({ project: world.prefix + project, name })),
  ),

  step(
    1,
    'list flavors',
    { project, after: fc.option(flavorName, { freq: 2 }), limit },
    (world, { project, after, limit }) =>
      world.ask((storage) => storage.pools.listFlavors({ project: world.prefix + project, after, limit })),
  ),

  step(1, 'delete flavor', { project, name: flavorName }, (world, { project, name }) =>
    world.ask((storage) => storage.pools.deleteFlavor({ project: world.prefix + project, name })),
  ),
]
