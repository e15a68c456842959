import type { QueueEngine, Storage } from 'zaqar/storage'
import { createModel, createModelState, type Harness, modelAbilities, runConformance } from '../src/index.ts'

/** An engine that is to be a pool: it keeps queues and knows nothing of projects as a whole. */
const harness: Harness = {
  abilities: { ...modelAbilities, engine: 'queues-only', keepsRegistry: false },
  async open(clock) {
    const state = createModelState()
    const another = async () => queuesOnly(createModel(clock, state))
    return { storage: await another(), reopen: another, openSecondClient: another, async drop() {} }
  },
}

runConformance('an engine without a registry', harness, { sequences: 100 })

function queuesOnly({ queues, messages, claims, subscriptions, deliveries, ...storage }: Storage): QueueEngine {
  const { create, get, update, delete: remove, stats } = queues
  return {
    abilities: harness.abilities,
    queues: { create, get, update, delete: remove, stats },
    messages,
    claims,
    subscriptions,
    deliveries,
    weakness: () => storage.weakness(),
    watch: (queue, listener) => storage.watch(queue, listener),
    watchSubscriptions: (queue, listener) => storage.watchSubscriptions(queue, listener),
    keepGone: (queue) => storage.keepGone(queue),
    watchWork: (listener) => storage.watchWork(listener),
    ping: () => storage.ping(),
    close: () => storage.close(),
  }
}
