import { isDeepStrictEqual } from 'node:util'
import type { Tracer } from '@opentelemetry/api'
import type { Access } from './access.ts'
import { isLoopback } from './config/loopback.ts'
import type { Config } from './config/options.ts'
import { type ConsoleFiles, readConsoleFiles } from './console/console-files.ts'
import { createConsolePages, isConsole } from './console/console-pages.ts'
import { audited, type WriteLine } from './core/audit.ts'
import {
  createExecute,
  type House,
  type OnTrouble,
  type PoolEngines,
  type ProbeStore,
  type ServingProcess,
} from './core/execute.ts'
import { measureHouse } from './core/measure-house.ts'
import { MessageTally } from './core/message-tally.ts'
import { ProjectQuotas } from './core/project-quotas.ts'
import { ProjectRates } from './core/project-rates.ts'
import { ProjectSeats } from './core/project-seats.ts'
import { QueueDirectory } from './core/queue-directory.ts'
import type { Readiness } from './core/readiness.ts'
import { type OnServed, RequestMeter } from './core/request-meter.ts'
import type { Limits } from './core/rules/limits.ts'
import { SocketTally } from './core/socket-tally.ts'
import { openWaiting, type Waiting } from './core/waiting.ts'
import { createCors } from './http/cors.ts'
import { createHandler, type Handle } from './http/handler.ts'
import type { Upgrade } from './http/listener.ts'
import type { HttpRequest } from './http/messages.ts'
import { Origins } from './http/origins.ts'
import { createPageGuard } from './http/page-guard.ts'
import { createRoutes } from './http/routes.ts'
import { shownInQuery, withoutCredentials } from './http/shown-in-query.ts'
import { splitTarget } from './http/target.ts'
import { createWatchingPages, type Scrapers } from './http/watching-pages.ts'
import type { Family } from './metrics/family.ts'
import type { Metrics } from './metrics/metrics.ts'
import type { Clock } from './platform/clock.ts'
import type { Ids } from './platform/ids.ts'
import type { MemoryBudget } from './platform/memory-budget.ts'
import { checksummedStorage } from './storage/checksummed/checksummed-storage.ts'
import type { QueueStore, Storage } from './storage/contract.ts'
import { encryptedStorage } from './storage/encrypted/encrypted-storage.ts'
import { MessageCipher } from './storage/encrypted/message-cipher.ts'
import { pacedStorage } from './storage/paced/paced-storage.ts'
import { tracedExecute } from './tracing/traced-execute.ts'
import { tracedFrames } from './tracing/traced-frames.ts'
import { tracedHandle } from './tracing/traced-handle.ts'
import { tracedStorage } from './tracing/traced-storage.ts'
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
  /** Of the pools; null where there are none. */
  readonly poolEngines: PoolEngines | null
  readonly process: ServingProcess
  /** Null: nobody wants traces. */
  readonly tracer: Tracer | null
  readonly readiness: Readiness
  /** Gets what is measured here. */
  readonly metrics: Metrics
  /** What `/metrics` shows. */
  scrape(): Promise<readonly Family[]>
  /** Milliseconds, with fractions. */
  elapsed(): number
  /** Gets the audit log; null where nobody wants one. */
  readonly audit: WriteLine | null
  /** Told of each request that was answered. */
  readonly onServed: OnServed
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
  /** Counts requests. */
  readonly meter: RequestMeter
  /** Counts messages. */
  readonly tally: MessageTally
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
  const { config, access, budget, clock, ids, metrics, tracer, onTrouble } = parts
  const paceLimits = { ...config.limits }
  const openStorage = encryptedStorage(pacedStorage(parts.storage, budget, paceLimits), messageCipher(config))
  const wholeStorage = config.messages.checksum ? checksummedStorage(openStorage) : openStorage
  const storage = tracer === null ? wholeStorage : tracedStorage(wholeStorage, tracer)
  const { maxSubscriptionsPerProject: maxSubscriptions, maxConnectionsPerProject } = config.websocket
  const { requiresConfirmation } = config.notification
  let accounts = openAccounts(config, storage, null)
  const tally = new MessageTally(clock.now())
  const waiting = openWaiting({
    storage,
    queues: accounts.queues,
    tally,
    clock,
    budget,
    ids,
    requiresConfirmation,
    maxSubscriptions,
    onTrouble,
  })
  const socketTally = new SocketTally()
  const meter = new RequestMeter(metrics, parts.elapsed, parts.onServed)
  measureHouse(metrics, { ...waiting, tally, sockets: socketTally }, budget)
  const seats = new ProjectSeats(maxConnectionsPerProject)
  const consoleFiles = readConsoleFiles()
  const house = { ...parts, storage, waiting, tally, socketTally, meter, seats, consoleFiles }
  let serving = createServing(config, access, house, accounts)
  const sockets = new Sockets({
    ...serving.sessions,
    ...serving.sockets,
    clock,
    budget,
    tally: socketTally,
    ended: parts.socketEnded,
  })
  let requests = 0
  const { websocket } = config
  return {
    handle: (request) => {
      requests += 1
      return serving.handle(request)
    },
    handleForAdmins: hasOwnListener(config)
      ? (request) => {
          requests += 1
          return serving.handleForAdmins(request)
        }
      : null,
    storage,
    meter,
    tally,
    requests: () => requests + socketTally.requests,
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
  readonly tally: MessageTally
  readonly socketTally: SocketTally
  readonly meter: RequestMeter
  readonly seats: ProjectSeats
  readonly consoleFiles: ConsoleFiles
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
  house: ServingHouse,
  { queues, rates, quotas }: Accounts,
): Serving {
  const { storage, waiting, tally, meter, seats, clock, ids, probeStore, poolEngines } = house
  const { readiness, tracer, audit, onTrouble } = house
  const limits = limitsOf(config)
  const { authenticate, keystoneUrl, keystone, authorise, urlSigner, trusts } = access
  const operationHouse: House = {
    storage,
    queues,
    clock,
    limits,
    ids,
    ...waiting,
    sockets: house.socketTally,
    process: house.process,
    tally,
    probeStore,
    poolEngines,
    urlSigner,
    rates,
    quotas,
    trusts,
  }
  const run = createExecute({ ...operationHouse, authorise, onTrouble })
  const tracedRun = tracer === null ? run : tracedExecute(run, tracer)
  const execute = audit === null ? tracedRun : audited(tracedRun, { write: audit, clock })
  const origins = originsOf(config)
  const withCors = createCors(config.cors, origins)
  // Where callers have to show who they are, a page can show nothing.
  const isGuarded = config.auth.strategy === ''
  const clientIds = { ...config.clientId, strict: config.clientId.check === 'strict' }
  const handlerTrouble = (error: unknown, { id, method, target }: HttpRequest) =>
    onTrouble(error, { requestId: id, method, target: withoutCredentials(target) })
  const serve = (served: readonly ApiVersion[], scrapers: Scrapers | null): Handle => {
    const routes = createRoutes(served, publicDocuments(served, limits))
    const plainHandle = createHandler({
      authenticate,
      keystoneUrl,
      routes,
      execute,
      limits,
      clock,
      meter,
      credentialsInQuery: config.http.credentialsInQuery,
      clientIds,
      onTrouble: handlerTrouble,
    })
    const handle = tracer === null ? plainHandle : tracedHandle(plainHandle, tracer)
    const withPages = createWatchingPages({
      readiness,
      metrics: scrapers && { scrapers, scrape: () => house.scrape() },
      clock,
      onTrouble: handlerTrouble,
    })
    const withConsole = config.console.enabled
      ? createConsolePages({ files: house.consoleFiles, keystone, limits, onTrouble: handlerTrouble })
      : (handle: Handle) => handle
    const isPublic = (target: string) => routes.isPublic(target) || isConsole(target)
    const guard = isGuarded ? createPageGuard({ origins, isPublic, refused: () => meter.refused('page') }) : null
    const whole = withConsole(withPages(handle))
    return withCors(guard === null ? whole : guard(whole))
  }
  const { deprecatedVersions, adminMode } = config.api
  const chosen = chosenVersions(deprecatedVersions)
  const versions = config.auth.strategy === 'keystone' ? chosen.map(withProjects) : chosen
  const isApart = hasOwnListener(config)
  const isForAdmins = adminMode && !isApart
  const { maxRequests, pingIntervalSeconds, idleTimeoutSeconds } = config.websocket
  const maxBodyBytes = Math.max(limits.maxMessagesPostBytes, limits.maxQueueMetadataBytes)
  return {
    handle: serve(
      isForAdmins ? versions : versions.map(withoutAdmin),
      isApart ? null : scrapersAt(config.http.bind, config, access),
    ),
    handleForAdmins: serve(versions, scrapersAt(config.http.adminBind, config, access)),
    maxBodyBytes,
    sessions: {
      authenticate,
      needsAuthentication: config.auth.strategy === 'keystone',
      execute,
      doors: socketDoors(isForAdmins ? v2 : withoutAdmin(v2)),
      meter,
      aroundFrame: tracer && tracedFrames(tracer),
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

function limitsOf({ limits, messages, encryption, notification, pooling }: Config): Limits {
  return {
    ...limits,
    deleteNeedsClaimIds: messages.deleteNeedsClaimIds,
    canEncryptMessages: encryption.key !== null,
    hasPools: pooling.enabled,
    requiresConfirmation: notification.requiresConfirmation,
  }
}

/** Whether the routes of operators have a listener to themselves. */
function hasOwnListener({ api, http }: Config): boolean {
  return api.adminMode && http.adminPort !== null
}

/**
 * Who reaches a loopback address without authentication may do everything there, so he may read metrics, too. Where
 * there is authentication, that holds for a listener of operators: before the other there may be a proxy, whose clients
 * are not on this machine. What callers assert of themselves is nothing that metrics of all projects are shown for.
 */
function scrapersAt(address: string, config: Config, access: ApplicationParts['access']): Scrapers {
  // An empty token would be one that everybody knows.
  const token = config.metrics.scrapeToken?.reveal() || null
  const isAuthenticated = config.auth.strategy !== ''
  const isOpen = isLoopback(address) && (hasOwnListener(config) || !isAuthenticated)
  if (token === null && isOpen) return { who: 'everybody' }
  return { who: 'known', token, accounts: isAuthenticated ? access : null }
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
