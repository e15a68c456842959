import assert from 'node:assert/strict'
import type { ListenerOptions } from '../../src/http/listener.ts'
import { MemoryBudget } from '../../src/platform/memory-budget.ts'
import { createSystemClock } from '../../src/platform/system-clock.ts'
import { unwatchedRequests } from './unwatched.ts'

/** Bounds of a listener in a test that is about something else; `budgetBytes` are for requests and answers. */
export function listenerOptions({
  budgetBytes = 64 * 1024 * 1024,
  ...others
}: Partial<ListenerOptions> & { readonly budgetBytes?: number } = {}): ListenerOptions {
  const clock = others.clock ?? createSystemClock()
  return {
    address: '127.0.0.1',
    port: 0,
    maxBodyBytes: () => 1000,
    maxHeaderBytes: 32_768,
    requestTimeoutSeconds: 60,
    silenceSeconds: 60,
    maxConnections: 100,
    closingSeconds: 0,
    budget: new MemoryBudget({ bytes: budgetBytes, clock }),
    clock,
    tls: null,
    upgrade: null,
    meter: unwatchedRequests(),
    onTrouble: (error) => assert.fail(error as Error),
    ...others,
  }
}
