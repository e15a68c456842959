import fc from 'fast-check'
import type { StoreParts } from '../harness.ts'
import { anyQueue } from './alphabets.ts'
import { step, type WeightedStep } from './step.ts'

/** What befalls parts of a store. The model has none, so answers are as if there were none either. */
export function partSteps({ count }: StoreParts): WeightedStep[] {
  const part = fc.nat(count - 1)
  return [
    step(8, 'move to another part', { queue: anyQueue }, (world, { queue }) => world.moveQueue(queue)),

    step(1, 'drain a part', { part }, (world, { part }) => world.drain(part)),

    step(2, 'a part fails', { part }, async (world, { part }) => world.fail(part)),

    step(4, 'the part serves again', {}, (world) => world.recover()),
  ]
}
