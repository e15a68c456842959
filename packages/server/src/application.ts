import type { Access } from './access.ts'
import type { Config } from './config/options.ts'
import { audited, type WriteLine } from './core/audit.ts'
import { createExecute, type House, type OnTrouble, type ProbeStore } from './core/execute.ts'
import { ProjectQuotas } from './core/project-quotas.ts'
import { ProjectRates } from './core/project-rates.ts'
import { ProjectSeats } from './core/project-seats.ts'
import { QueueDirectory } from './core/queue-directory.ts'
import { SocketTally } from './core/socket-tally.ts'
import { openWaiting } from './core/waiting.ts'
import { createCors } from './http/cors.ts'
import { createHandler, type Handle } from './http/handler.ts'
import type { Upgrade } from './http/listener.ts'
import { Origins } from './http/origins.ts'
import { createPageGuard } from './http/page-guard.ts'
import { createRoutes } from './http/routes.ts'
import { shownInQuery, withoutCredentials } from './http/shown-in-query.ts'
import { splitTarget } from './http/target.ts'
import type { Clock } from './platform/clock.ts'
import type { Ids } from './platform/ids.ts'
import type { MemoryBudget } from './platform/memory-budget.ts'
import { checksummedStorage } from './storage/checksummed/checksummed-storage.ts'
import type { QueueStore, Storage } from './storage/contract.ts'
import { encryptedStorage } from './storage/encrypted/encrypted-storage.ts'
import { MessageCipher } from './storage/encrypted/message-cipher.ts'
import { pacedStorage } from './storage/paced/paced-storage.ts'
import { type Peer, Session, type SessionHouse } from './websocket/session.ts'
import type { EndedConnection } from './websocket/socket-connection.ts'
import { Sockets } from './websocket/sockets.ts'
import { chosenVersions } from './wire/all-versions.ts'
import { publicDocuments } from './wire/public-documents.ts'
import { v2 } from './wire/v2/version.ts'
import { type ApiVersion, withoutAdmin, withProjects } from './wire/versions.ts'
import { socketDoors } from './wire/websocket/doors.ts'

export interface ApplicationParts {
  readonly config: Config
  readonly access: Omit<Access, 'close'>
  readonly storage: Storage
  /** What requests and answers may take in memory. */
  readonly budget: MemoryBudget
  readonly clock: Clock
  readonly ids: Ids
  readonly probeStore: ProbeStore
  /** Gets the audit log; null where nobody wants one. */
  readonly audit: WriteLine | null
  /** Told of every error that is ours. */
  readonly onTrouble: OnTrouble
  /** Told of each WebSocket that has ended. */
  socketEnded(about: EndedConnection): void
}

export interface Application {
  readonly handle: Handle
  /** Serves what `handle` does, and the routes of operators; null when these are with the others or nowhere. */
  readonly handleForAdmins: Handle | null
  /** As operations see it: what is encrypted in the store is open here. */
  readonly storage: Storage
  /** How many have come so far. */
  requests(): number
  /** What takes over connections of `handle` that become WebSockets; null where none may. */
  readonly upgrade: Upgrade | null
  /** The same for the port where only WebSocket is spoken; null where there is none. */
  readonly upgradeAtOwnPort: Upgrade | null
  /** The same conversation by another way than a WebSocket. */
  openSession(peer: Peer): Session
  /** Answers the requests that wait. */
  close(): void
  /** Removes what connections leave behind: when their listeners are closed, and before the storage is. */
  end(): Promise<void>
}

/** The whole service but for its sockets and its storage. */
export function createApplication({
  config,
  access,
  storage: plainStorage,
  budget,
  clock,
  ids,
  probeStore,
  audit,
  onTrouble,
  socketEnded,
}: ApplicationParts): Application {
  const openStorage = encryptedStorage(pacedStorage(plainStorage, budget, config.limits), messageCipher(config))
  const storage = config.messages.checksum ? checksummedStorage(openStorage) : openStorage
  const limits = {
    ...config.limits,
    deleteNeedsClaimIds: config.messages.deleteNeedsClaimIds,
    canEncryptMessages: config.encryption.key !== null,
    requiresConfirmation: config.notification.requiresConfirmation,
  }
  const { deprecatedVersions, adminMode } = config.api
  const chosen = chosenVersions(deprecatedVersions)
  const versions = config.auth.strategy === 'keystone' ? chosen.map(withProjects) : chosen
  const quotas = projectQuotas(config, storage.queues)
  const queues = new QueueDirectory(storage.queues, quotas, limits)
  const { requiresConfirmation } = limits
  const { maxSubscriptionsPerProject: maxSubscriptions } = config.websocket
  const parts = { storage, queues, clock, budget, requiresConfirmation, maxSubscriptions, onTrouble }
  const waiting = openWaiting({ ...parts, ids })
  const tally = new SocketTally()
  const { authenticate, keystoneUrl, authorise, urlSigner, trusts } = access
  const house: House = {
    storage,
    queues,
    clock,
    limits,
    ids,
    ...waiting,
    sockets: tally,
    probeStore,
    urlSigner,
    rates: projectRates(config),
    quotas,
    trusts,
  }
  const run = createExecute({ ...house, authorise, onTrouble })
  const execute = audit === null ? run : audited(run, { write: audit, clock })
  const origins = originsOf(config)
  const withCors = createCors(config.cors, origins)
  // Where callers have to show who they are, a page can show nothing.
  const isGuarded = config.auth.strategy === ''
  const clientIds = { ...config.clientId, strict: config.clientId.check === 'strict' }
  let requests = 0
  const serve = (served: readonly ApiVersion[]): Handle => {
    const routes = createRoutes(served, publicDocuments(served, limits))
    const handle = createHandler({
      authenticate,
      keystoneUrl,
      routes,
      execute,
      limits,
      clock,
      credentialsInQuery: config.http.credentialsInQuery,
      clientIds,
      onTrouble: (error, { id, method, target }) =>
        onTrouble(error, { requestId: id, method, target: withoutCredentials(target) }),
    })
    const guardedHandle = withCors(isGuarded ? createPageGuard({ origins, isPublic: routes.isPublic })(handle) : handle)
    return (request) => {
      requests += 1
      return guardedHandle(request)
    }
  }
  const isApart = config.http.adminPort !== null
  const { websocket } = config
  const sessions: SessionHouse = {
    authenticate,
    needsAuthentication: config.auth.strategy === 'keystone',
    execute,
    doors: socketDoors(adminMode && !isApart ? v2 : withoutAdmin(v2)),
    limits,
    clientIds,
    seats: new ProjectSeats(websocket.maxConnectionsPerProject),
    maxRequests: websocket.maxRequests,
    onTrouble,
    pushes: waiting.pushes,
  }
  const sockets = new Sockets({
    ...sessions,
    clock,
    budget,
    tally,
    pingIntervalSeconds: websocket.pingIntervalSeconds,
    idleTimeoutSeconds: websocket.idleTimeoutSeconds,
    maxMessageBytes: Math.max(limits.maxMessagesPostBytes, limits.maxQueueMetadataBytes) + config.http.maxHeaderBytes,
    origins,
    shownAtUpgrade: (target) => (config.http.credentialsInQuery ? shownInQuery(splitTarget(target)[1]) : null),
    ended: socketEnded,
  })
  return {
    handle: serve(adminMode && !isApart ? versions : versions.map(withoutAdmin)),
    handleForAdmins: adminMode && isApart ? serve(versions) : null,
    storage,
    requests: () => requests + tally.requests,
    upgrade: websocket.enabled ? sockets.upgrade(null) : null,
    upgradeAtOwnPort: websocket.port === null ? null : sockets.upgrade(websocket.externalPort),
    openSession: (peer) => new Session(peer, sessions),
    close: () => waiting.longPolls.close(),
    async end() {
      await sockets.over()
      await waiting.pushes.close()
    },
  }
}

/** Where callers have to show who they are, a page that comes by a name of its own can show nothing. */
function originsOf({ auth, http, websocket, cors, notification }: Config): Origins {
  if (auth.strategy !== '') return new Origins({ hosts: ['*'], allowedOrigins: cors.allowedOrigins })
  const own = [http.bind, http.adminBind, websocket.bind].map((name) => name.toLowerCase())
  const published = notification.publicUrl === null ? [] : [new URL(notification.publicUrl).hostname]
  return new Origins({ hosts: [...http.allowedHosts, ...own, ...published], allowedOrigins: cors.allowedOrigins })
}

function projectQuotas({ projectLimits }: Config, queues: QueueStore): ProjectQuotas | null {
  const { maxQueues, maxMessages, maxMessageBytes } = projectLimits
  const areAny = maxQueues !== null || maxMessages !== null || maxMessageBytes !== null
  return areAny ? new ProjectQuotas(projectLimits, queues) : null
}

function projectRates({ projectLimits }: Config): ProjectRates | null {
  const { maxRequestsPerSecond, maxMessagesPerSecond } = projectLimits
  return maxRequestsPerSecond === null && maxMessagesPerSecond === null ? null : new ProjectRates(projectLimits)
}

function messageCipher({ encryption: { key, previousKeys } }: Config): MessageCipher {
  return new MessageCipher(
    key?.reveal() ?? null,
    previousKeys.map((previous) => previous.reveal()),
  )
}
