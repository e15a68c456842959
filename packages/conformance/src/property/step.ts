import fc from 'fast-check'
import type { World } from './world.ts'

/**
 * One thing to do to the engine and to the model, described by plain values so that fast-check can shrink and print it.
 */
export interface Step {
  readonly title: string
  run(world: World): Promise<unknown>
}

export type WeightedStep = fc.WeightedArbitrary<Step>

/** A kind of step. What its values pick ("the second newest id of this queue") is looked up when it runs. */
export function step<Values>(
  weight: number,
  name: string,
  values: { [Field in keyof Values]: fc.Arbitrary<Values[Field]> },
  run: (world: World, values: Values) => Promise<unknown>,
): WeightedStep {
  const arbitrary = fc.record(values).map((chosen: Values): Step => {
    const title = `${name} ${JSON.stringify(chosen)}`
    return { title, run: (world) => run(world, chosen), ...{ [fc.toStringMethod]: () => title } }
  })
  return { weight, arbitrary }
}
