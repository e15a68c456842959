import { isUtf8 } from 'node:buffer'
import { ManualClock } from 'zaqar-conformance'
import { type Access, type AccessParts, openAccess } from '../../src/access.ts'
import { type Application, type ApplicationParts, createApplication } from '../../src/application.ts'
import type { Config } from '../../src/config/options.ts'
import type { OnTrouble } from '../../src/core/execute.ts'
import { Readiness } from '../../src/core/readiness.ts'
import { isStreamed } from '../../src/http/answer-stream.ts'
import type { Handle } from '../../src/http/handler.ts'
import type { Upgrade } from '../../src/http/listener.ts'
import { Metrics } from '../../src/metrics/metrics.ts'
import { elapsed } from '../../src/platform/elapsed.ts'
import { MemoryBudget } from '../../src/platform/memory-budget.ts'
import { systemIds } from '../../src/platform/system-ids.ts'
import { startTimeLimit } from '../../src/platform/time-limit.ts'
import type { Storage } from '../../src/storage/contract.ts'
import { openSqlite } from '../../src/storage/sqlite/open-sqlite.ts'
import type { EndedConnection } from '../../src/websocket/socket-connection.ts'
import type { RequestBody } from '../../src/wire/door.ts'
import { load } from '../config/memory.ts'
import { waits } from './settled.ts'
import { type Send, TestClient } from './test-client.ts'

/** The service without sockets, in memory, at a time that the test decides. */
export interface InProcessService {
  readonly client: TestClient
  readonly send: Send
  /** To the listener of operators; null where there is none. */
  readonly adminSend: Send | null
  readonly handle: Handle
  readonly clock: ManualClock
  readonly storage: Storage
  readonly config: Config
  readonly readiness: Readiness
  /** What the service would have logged as its own trouble. */
  readonly troubles: readonly unknown[]
  /** What the log would have said beside each of them. */
  readonly logged: readonly Readonly<Record<string, string>>[]
  /** What the log would have said of WebSockets that have ended. */
  readonly endedSockets: readonly EndedConnection[]
  /** For a listener; null where no WebSocket is spoken. */
  readonly upgrade: Upgrade | null
  readonly upgradeAtOwnPort: Upgrade | null
  readonly openSession: Application['openSession']
  /** As at the end of a service, before its listeners close. */
  answerWaiting(): void
  close(): Promise<void>
}

/** What a test may put in the place of chance, of foreign stores and of SQLite in memory. */
export type Seams = Partial<
  Pick<ApplicationParts, 'ids' | 'probeStore' | 'poolEngines' | 'onTrouble' | 'audit' | 'tracer'>
> & {
  readonly openStorage?: (clock: ManualClock) => Promise<Storage>
  /** For requests and answers. */
  readonly budgetBytes?: number
}

/** What a test may put in the place of policy files, of the signing key and of the trusts of Keystone. */
export type AccessSeams = Partial<Pick<AccessParts, 'files' | 'installationKey'> & Pick<Access, 'trusts'>>

/** `env` configures it, as `OS_TRANSPORT__MAX_CLAIM_TTL=60` would. */
export async function openInProcess(
  env: Record<string, string> = {},
  {
    openStorage = (clock) => openSqlite({ path: ':memory:', clock }),
    budgetBytes = 1024 * 1024 * 1024,
    ...seams
  }: Seams = {},
  { trusts, ...accessSeams }: AccessSeams = {},
): Promise<InProcessService> {
  const { config } = load({ env })
  const clock = new ManualClock(Date.UTC(2026, 2, 1, 10))
  const storage = await openStorage(clock)
  const troubles: unknown[] = []
  const logged: Readonly<Record<string, string>>[] = []
  const endedSockets: EndedConnection[] = []
  const onTrouble: OnTrouble = (error, about) => {
    troubles.push(error)
    logged.push(about)
  }
  const metrics = new Metrics()
  const readiness = new Readiness({ storage, clock, startTimeLimit })
  const access = openAccess({
    config,
    folders: [],
    files: { readFile: () => null, listFolder: () => null, stamp: () => null },
    // No policy file changes here, so nothing need look for changes however far the clock is moved.
    clock: { now: () => clock.now(), at: () => ({ cancel() {} }) },
    reports: { warned() {}, reloaded() {}, refused() {} },
    onTrouble,
    installationKey: () => 'a key that only tests know',
    ...accessSeams,
  })
  const { handle, handleForAdmins, upgrade, upgradeAtOwnPort, openSession, close, end } = createApplication({
    config,
    access: trusts === undefined ? access : { ...access, trusts },
    storage,
    budget: new MemoryBudget({ bytes: budgetBytes, clock }),
    clock,
    ids: systemIds,
    probeStore: async () => true,
    poolEngines: null,
    process: { version: '0.1.0', host: 'node1', pid: 7, startedAt: clock.now() },
    tracer: null,
    readiness,
    metrics,
    scrape: async () => metrics.collect(),
    elapsed,
    onServed() {},
    audit: null,
    ...seams,
    onTrouble,
    socketEnded: (about) => void endedSockets.push(about),
  })
  const send = sendTo(handle)
  return {
    client: new TestClient(send),
    send,
    adminSend: handleForAdmins && sendTo(handleForAdmins),
    handle,
    clock,
    storage,
    config,
    readiness,
    troubles,
    logged,
    endedSockets,
    upgrade,
    upgradeAtOwnPort,
    openSession,
    answerWaiting: close,
    async close() {
      close()
      await end()
      await access.close()
      await storage.close()
    },
  }
}

/** Hands a request over as the listener does. */
function sendTo(handle: Handle): Send {
  return async ({ method, target, headers, body }) => {
    const content = body === undefined ? undefined : Buffer.from(body)
    const length = content === undefined ? {} : { 'content-length': String(content.length) }
    const answer = await handle({
      id: 'req-test',
      method,
      target,
      headers: { ...lowerCase(headers), ...length },
      readBody: () => toBody(content),
    })
    const text = isStreamed(answer) ? await beginningOf(answer.body) : (answer.body?.toString() ?? '')
    return { status: answer.status, headers: lowerCase(answer.headers), text }
  }
}

/** What a stream has to say before it waits for something. */
async function beginningOf(stream: AsyncIterable<string>): Promise<string> {
  const chunks = stream[Symbol.asyncIterator]()
  let text = ''
  for (;;) {
    const chunk = chunks.next()
    if (await waits(chunk)) break
    const { done, value } = await chunk
    if (done) break
    text += value
  }
  await chunks.return?.()
  return text
}

function toBody(content: Buffer | undefined): RequestBody {
  if (content === undefined) return { bytes: null, text: '' }
  return { bytes: content.length, text: isUtf8(content) ? content.toString('utf8') : null }
}

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}
