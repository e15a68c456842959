import assert from 'node:assert/strict'
import { afterEach, beforeEach } from 'node:test'
import type { ManualClock } from 'zaqar-conformance'
import type { Storage } from '../../src/storage/contract.ts'
import { type InProcessService, openInProcess, type Seams } from './in-process.ts'
import { SessionClient } from './session-client.ts'
import type { TestAnswer, TestClient } from './test-client.ts'

export interface FreshService {
  readonly client: TestClient
  /** Of a connection, opened when it is first asked for. */
  readonly socket: SessionClient
  readonly clock: ManualClock
  readonly storage: Storage
  readonly troubles: readonly unknown[]
  /** Posts messages and answers their ids. */
  post(queue: string, ...messages: readonly object[]): Promise<string[]>
  /** Moves the clock. */
  pass(seconds: number): void
  /** Before the end of the test. */
  stop(): Promise<void>
}

/** A new service for each test of the suite that calls this. A test fails when the service had trouble of its own. */
export function freshService(env: Record<string, string> = {}, seams: Seams = {}): FreshService {
  let service: InProcessService
  let socket: SessionClient | null = null
  beforeEach(async () => {
    service = await openInProcess(env, seams)
  })
  afterEach(async () => {
    socket?.leave()
    socket = null
    await service.close()
    assert.deepEqual(service.troubles, [])
  })
  return {
    get client() {
      return service.client
    },
    get socket() {
      socket ??= new SessionClient(service.openSession, 'test')
      return socket
    },
    get clock() {
      return service.clock
    },
    get storage() {
      return service.storage
    },
    get troubles() {
      return service.troubles
    },
    post: async (queue, ...messages) => idsIn(await service.client.post(`/v2/queues/${queue}/messages`, { messages })),
    pass: (seconds) => service.clock.advance(seconds * 1000),
    stop: () => service.close(),
  }
}

/** The ids in the answer to a POST of messages. */
export function idsIn(answer: TestAnswer): string[] {
  assert.equal(answer.status, 201, answer.text)
  const { resources } = JSON.parse(answer.text) as { resources: string[] }
  return resources.map((href) => href.slice(href.lastIndexOf('/') + 1))
}
