import type { Harness } from '../harness.ts'
import { createModel, modelAbilities } from './create-model.ts'
import { createModelState } from './state.ts'

/** The model as an engine of its own. */
export const modelHarness: Harness = {
  abilities: modelAbilities,
  async open(clock) {
    const state = createModelState()
    const another = async () => createModel(clock, state)
    return { storage: await another(), reopen: another, openSecondClient: another, async drop() {} }
  },
  failNeighbour: ({ queues }, clock) => queues.get({ key: null as never, now: clock.now() }),
}
