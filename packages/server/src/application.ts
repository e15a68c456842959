import type { Config } from './config/options.ts'
import { createExecute, type ProbeStore } from './core/execute.ts'
import { LongPolls } from './core/long-poll.ts'
import { allowedByDefault } from './core/rules/default-policy.ts'
import { createHandler, type Handle } from './http/handler.ts'
import type { HttpRequest } from './http/messages.ts'
import { createRoutes } from './http/routes.ts'
import type { Clock } from './platform/clock.ts'
import type { Ids } from './platform/ids.ts'
import type { Storage } from './storage/contract.ts'
import { createV2 } from './wire/v2/version.ts'
import { versionsDocument } from './wire/versions.ts'

export interface ApplicationParts {
  readonly config: Config
  readonly storage: Storage
  readonly clock: Clock
  readonly ids: Ids
  readonly probeStore: ProbeStore
  /** Told of every error that is ours. */
  onTrouble(error: unknown, request: HttpRequest): void
}

export interface Application {
  readonly handle: Handle
  /** Answers the requests that wait. */
  close(): void
}

/** The whole service but for its sockets and its storage. */
export function createApplication({
  config,
  storage,
  clock,
  ids,
  probeStore,
  onTrouble,
}: ApplicationParts): Application {
  const limits = { ...config.limits, deleteNeedsClaimIds: config.messages.deleteNeedsClaimIds }
  const versions = [createV2({ ...limits, checksum: config.messages.checksum })]
  const longPolls = new LongPolls(storage, clock)
  const handle = createHandler({
    findRoute: createRoutes(versions, versionsDocument(versions)),
    execute: createExecute({ storage, clock, limits, ids, longPolls, probeStore, authorise: allowedByDefault }),
    clientIds: { ...config.clientId, strict: config.clientId.check === 'strict' },
    onTrouble,
  })
  return { handle, close: () => longPolls.close() }
}
