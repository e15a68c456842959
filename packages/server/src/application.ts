import { isDeepStrictEqual } from 'node:util'
import type { Access } from './access.ts'
import type { Config } from './config/options.ts'
import { audited, type WriteLine } from './core/audit.ts'
import { createExecute, type House, type OnTrouble, type ProbeStore } from './core/execute.ts'
import { ProjectQuotas } from './core/project-quotas.ts'
import { ProjectRates } from './core/project-rates.ts'
import { ProjectSeats } from './core/project-seats.ts'
import { QueueDirectory } from './core/queue-directory.ts'
import type { Limits } from './core/rules/limits.ts'
import { SocketTally } from './core/socket-tally.ts'
import { openWaiting, type Waiting } from './core/waiting.ts'
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
import { type SocketSettings, Sockets } from './websocket/sockets.ts'
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
  /** The longest body that is read, in bytes. */
  readonly maxBodyBytes: number
  /**
   * What comes from now on is served by these settings, what is under way by those it began with. `config` differs from
   * the one before in options that reload; `access` answers by it already.
   */
  reconfigure(config: Config, access: Pick<Access, 'authorise'>): void
  /** Answers the requests that wait. */
  close(): void
  /** Removes what connections leave behind: when their listeners are closed, and before the storage is. */
  end(): Promise<void>
}

/** The whole service but for its sockets and its storage. */
export function createApplication(parts: ApplicationParts): Application {
  const { config, access, budget, clock, ids, onTrouble } = parts
  const paceLimits = { ...config.limits }
  const openStorage = encryptedStorage(pacedStorage(parts.storage, budget, paceLimits), messageCipher(config))
  const storage = config.messages.checksum ? checksummedStorage(openStorage) : openStorage
  const { maxSubscriptionsPerProject: maxSubscriptions, maxConnectionsPerProject } = config.websocket
  const { requiresConfirmation } = config.notification
  let accounts = openAccounts(config, storage, null)
  const waiting = openWaiting({
    storage,
    queues: accounts.queues,
    clock,
    budget,
    ids,
    requiresConfirmation,
    maxSubscriptions,
    onTrouble,
  })
  const tally = new SocketTally()
  const seats = new ProjectSeats(maxConnectionsPerProject)
  const house = { ...parts, storage, waiting, tally, seats }
  let serving = createServing(config, access, house, accounts)
  const sockets = new Sockets({
    ...serving.sessions,
    ...serving.sockets,
    clock,
    budget,
    tally,
    ended: parts.socketEnded,
  })
  let requests = 0
  const { adminMode } = config.api
  const isApart = config.http.adminPort !== null
  const { websocket } = config
  return {
    handle: (request) => {
      requests += 1
      return serving.handle(request)
    },
    handleForAdmins:
      adminMode && isApart
        ? (request) => {
            requests += 1
            return serving.handleForAdmins(request)
          }
        : null,
    storage,
    requests: () => requests + tally.requests,
    upgrade: websocket.enabled ? sockets.upgrade(null) : null,
    upgradeAtOwnPort: websocket.port === null ? null : sockets.upgrade(websocket.externalPort),
    openSession: (peer) => new Session(peer, serving.sessions),
    get maxBodyBytes() {
      return serving.maxBodyBytes
    },
    reconfigure(latest, { authorise }) {
      Object.assign(paceLimits, latest.limits)
      accounts = openAccounts(latest, storage, accounts)
      serving = createServing(latest, { ...access, authorise }, house, accounts)
      seats.most = latest.websocket.maxConnectionsPerProject
      sockets.reconfigure({ ...serving.sessions, ...serving.sockets })
    },
    close: () => waiting.longPolls.close(),
    async end() {
      await sockets.over()
      await waiting.pushes.close()
    },
  }
}

/** What is there once, whatever the settings. */
interface ServingHouse extends Omit<ApplicationParts, 'config' | 'access'> {
  readonly waiting: Waiting
  readonly tally: SocketTally
  readonly seats: ProjectSeats
}

/** What serves by one configuration. */
interface Serving {
  readonly handle: Handle
  /** With the routes of operators. */
  readonly handleForAdmins: Handle
  readonly maxBodyBytes: number
  readonly sessions: SessionHouse
  readonly sockets: SocketSettings
}

/** What is remembered of queues and counted of projects under one configuration. */
interface Accounts {
  readonly projectLimits: Config['projectLimits']
  readonly queues: QueueDirectory
  readonly rates: ProjectRates | null
  readonly quotas: ProjectQuotas | null
}

/** `before`: those until now. What has been counted goes on to count where its limits are the same. */
function openAccounts(config: Config, { queues }: Storage, before: Accounts | null): Accounts {
  const { projectLimits } = config
  const isSame = before !== null && isDeepStrictEqual(before.projectLimits, projectLimits)
  const { rates, quotas } = isSame ? before : { rates: projectRates(config), quotas: projectQuotas(config, queues) }
  // What is remembered of a queue follows from the limits.
  return { projectLimits, rates, quotas, queues: new QueueDirectory(queues, quotas, limitsOf(config)) }
}

function createServing(
  config: Config,
  access: ApplicationParts['access'],
  { storage, waiting, tally, seats, clock, ids, probeStore, audit, onTrouble }: ServingHouse,
  { queues, rates, quotas }: Accounts,
): Serving {
  const limits = limitsOf(config)
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
    rates,
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
    return withCors(isGuarded ? createPageGuard({ origins, isPublic: routes.isPublic })(handle) : handle)
  }
  const { deprecatedVersions, adminMode } = config.api
  const chosen = chosenVersions(deprecatedVersions)
  const versions = config.auth.strategy === 'keystone' ? chosen.map(withProjects) : chosen
  const isForAdmins = adminMode && config.http.adminPort === null
  const { maxRequests, pingIntervalSeconds, idleTimeoutSeconds } = config.websocket
  const maxBodyBytes = Math.max(limits.maxMessagesPostBytes, limits.maxQueueMetadataBytes)
  return {
    handle: serve(isForAdmins ? versions : versions.map(withoutAdmin)),
    handleForAdmins: serve(versions),
    maxBodyBytes,
    sessions: {
      authenticate,
      needsAuthentication: config.auth.strategy === 'keystone',
      execute,
      doors: socketDoors(isForAdmins ? v2 : withoutAdmin(v2)),
      limits,
      clientIds,
      seats,
      maxRequests,
      onTrouble,
      pushes: waiting.pushes,
    },
    sockets: {
      pingIntervalSeconds,
      idleTimeoutSeconds,
      maxMessageBytes: maxBodyBytes + config.http.maxHeaderBytes,
      origins,
      shownAtUpgrade: (target) => (config.http.credentialsInQuery ? shownInQuery(splitTarget(target)[1]) : null),
    },
  }
}

function limitsOf({ limits, messages, encryption, notification }: Config): Limits {
  return {
    ...limits,
    deleteNeedsClaimIds: messages.deleteNeedsClaimIds,
    canEncryptMessages: encryption.key !== null,
    requiresConfirmation: notification.requiresConfirmation,
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
