import type { Harness } from '../harness.ts'
import { createModel } from './create-model.ts'
import { createModelState } from './state.ts'

/** The model as an engine of its own: its state plays the disk, so it can be reopened and have several clients. */
export const modelHarness: Harness = {
  abilities: { survivesReopen: true, severalClients: true, failingNeighbours: true },
  async open(clock) {
    const state = createModelState()
    const another = async () => createModel(clock, state)
    return {
      storage: await another(),
      reopen: another,
      openSecondClient: another,
      failNeighbour: ({ queues }) => queues.get({ key: null as never, now: clock.now() }),
      async drop() {},
    }
  },
}
