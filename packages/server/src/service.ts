/** The composition root: the only place that knows all parts. */
import { mkdirSync } from 'node:fs'
import { hostname } from 'node:os'
import { getHeapStatistics } from 'node:v8'
import { type Logger, pino } from 'pino'
import { openAccess } from './access.ts'
import { type Application, createApplication } from './application.ts'
import { installationKey } from './auth/signing-key.ts'
import { freezingSocketOf, listenForBackups } from './backup/freezing-socket.ts'
import { readVersion } from './cli/version.ts'
import { secondsAfterDelay } from './config/closing-time.ts'
import type { Loaded } from './config/load.ts'
import { isLoopback } from './config/loopback.ts'
import type { Config } from './config/options.ts'
import { reloadConfig } from './config/reload.ts'
import type { StorageUri } from './config/storage-uri.ts'
import { lineOfLost } from './core/audit.ts'
import type { OnTrouble } from './core/execute.ts'
import type { CountedStep } from './core/message-rates.ts'
import { flavorOf } from './core/rules/reserved-attributes.ts'
import type { Handle } from './http/handler.ts'
import { type Listener, type ListenerOptions, listen } from './http/listener.ts'
import { openTls, type Tls } from './http/tls.ts'
import { measurePools } from './measure-pools.ts'
import type { Family } from './metrics/family.ts'
import type { Relocation } from './model/model.ts'
import { openNotifications } from './notifications.ts'
import { openPools } from './open-pools.ts'
import { openStore } from './open-store.ts'
import type { Clock } from './platform/clock.ts'
import { diskFiles } from './platform/disk-files.ts'
import { elapsed } from './platform/elapsed.ts'
import { openLineFile, standardOutput } from './platform/line-file.ts'
import { LineWriter } from './platform/line-writer.ts'
import { MemoryBudget } from './platform/memory-budget.ts'
import { pause } from './platform/pause.ts'
import { createSystemClock } from './platform/system-clock.ts'
import { systemIds } from './platform/system-ids.ts'
import { createProbeStore } from './probe-store.ts'
import { EngineFigures } from './storage/engine-figures.ts'
import type { RelocationReports } from './storage/pooled/relocator.ts'
import type { Freezer } from './storage/sqlite/freezer.ts'
import { openTracer, spanFields } from './tracing/tracer.ts'
import { openWatching } from './watching.ts'
import { ownPortHandle } from './websocket/own-port.ts'

const NO_POOLS =
  'pooling is on, and there is no pool: until one is registered (zaqar pool create) nobody can make a queue, unless ' +
  '[pooling:catalog] enable_virtual_pool has the store of the service take it'

/** The least budget, in bytes: some dozens of the largest requests. */
const LEAST_BUDGET = 16 * 1024 * 1024

/** Longer than an operation takes that waits for something to come. */
const SILENCE_SECONDS = 120

export interface Service {
  readonly url: string
  /** Where alone the routes of operators are served; null when they are with the others or nowhere. */
  readonly adminUrl: string | null
  /** Where only WebSocket is spoken; null when there is no such port. */
  readonly socketUrl: string | null
  /**
   * Serves by the latest configuration from now on, as far as its options reload.
   * @throws PolicyError, and all stays as it was
   */
  reload(latest: Loaded): void | Promise<void>
  /** Resolves when the storage has answered, even if it was with an error; not at all when it hangs. */
  answers(): Promise<void>
  /**
   * Says that it is not ready any more, serves for the configured delay, then answers what was begun and ends. May be
   * called twice.
   */
  close(): Promise<void>
}

/** Makes of what one process tells what all tell that are one service. */
type Scrape = (families: readonly Family[]) => Promise<readonly Family[]>

/** A service that is this process. */
export interface ServiceProcess extends Service {
  /** All that is measured in it, and nothing of what is in the store. */
  families(): Promise<readonly Family[]>
  /** What was counted of messages since it was asked last. */
  takeUntoldRates(): readonly CountedStep[]
  /** Shows what another process has counted as well. */
  addRates(counted: readonly CountedStep[]): void
}

/** `about`: fields of every line. */
export function createLog(config: Config, about: object = {}): Logger {
  const mixin = openTracer() === null ? {} : { mixin: spanFields }
  return pino({ level: levelOf(config), ...mixin }, pino.destination({ dest: 2, sync: true })).child(about)
}

export function levelOf({ log: { debug } }: Config): string {
  return debug ? 'debug' : 'info'
}

/**
 * `folders`: where files that the configuration names by relative paths are looked for.
 * `neededPolicies`: policy files without whose rules it does not start. `scrape`: where others serve beside this process.
 * @throws PolicyError, StorageUnavailable, or the error of the listener.
 */
export async function startService(
  config: Config,
  folders: readonly string[],
  log = createLog(config),
  neededPolicies: readonly string[] = [],
  scrape: Scrape = async (families) => families,
): Promise<ServiceProcess> {
  mkdirSync(config.storage.dataDir, { recursive: true, mode: 0o700 })
  const figures = new EngineFigures(elapsed)
  const own = await openStore(config.storage, { local: createSystemClock(), figures, version: readVersion() })
  const { dataDir, uri } = config.storage
  const admission = { allowed: config.pooling.allowedUris, dataDir }
  const pools = config.pooling.enabled
    ? await openPools(own, {
        ...admission,
        uri,
        config,
        draw: () => systemIds.randomFraction(),
        flavorOf,
        relocationReports: relocationReports(log),
        report: (error) =>
          log.error({ err: error }, 'queues, or messages on their way, could not be taken to other pools'),
        elapsed,
        version: readVersion(),
      }).catch(async (error) => {
        await own.close()
        throw error
      })
    : null
  const store = pools ?? own
  const { storage, clock } = store
  const budget = new MemoryBudget({ bytes: config.http.memoryBudgetBytes ?? defaultBudget(), clock })
  const onTrouble: OnTrouble = (error, about) => log.error({ err: error, ...about }, 'request failed')
  const watching = openWatching({
    config,
    storage,
    figures,
    clock,
    version: readVersion(),
    report: (error) => log.error({ err: error }, 'queues and messages could not be counted'),
  })
  const { metrics, readiness } = watching
  if (pools !== null) {
    measurePools(metrics, pools.storage)
    if (pools.storage.engines.names().length === 0 && !config.pooling.virtualPool) log.warn(NO_POOLS)
  }
  const tracer = openTracer(readVersion())
  const backups = await openBackups(config.storage.uri, store.freezer, log)
  let audit: LineWriter | null = null
  try {
    const access = openAccess({
      config,
      folders,
      files: diskFiles,
      clock,
      neededPolicies,
      reports: {
        warned: (warning) => log.warn(`policy: ${warning}`),
        reloaded: (paths) => log.info({ paths }, 'policy read again'),
        refused: (problems) => log.error({ problems }, 'the changed policy cannot be used; the one before stays'),
      },
      onTrouble,
      installationKey: () => installationKey(config.storage.dataDir),
    })
    audit = await openAudit(config, clock, log)
    const application = createApplication({
      config,
      access,
      storage,
      budget,
      clock,
      ids: systemIds,
      probeStore: createProbeStore({
        ...admission,
        own: { storage, uri },
        clock,
        refused: (reason) =>
          log.warn({ reason }, 'a store cannot be registered as a pool; [pooling] allowed_uris says which can'),
      }),
      poolEngines: pools?.storage.engines ?? null,
      process: { version: readVersion(), host: hostname(), pid: process.pid, startedAt: clock.now() },
      tracer,
      readiness,
      metrics,
      scrape: async () => scrape(await watching.families({ withStore: true })),
      elapsed,
      audit: audit && ((line) => audit?.write(line)),
      onServed: ({ id, operation, door }, status, seconds) => {
        if (log.isLevelEnabled('debug'))
          log.debug({ requestId: id, operation, door, status, seconds }, 'request served')
      },
      onTrouble,
      socketEnded: (about) => log.info(about, 'a socket has ended'),
    })
    const tls = openTlsOf(config, clock, log)
    const { listener, adminListener, socketListener } = await openListeners(application, config, {
      tls,
      clock,
      budget,
      meter: application.meter,
      onTrouble,
    })
    const listeners = [listener, adminListener, socketListener].filter((one) => one !== null)
    const scheme = tls === null ? 'http' : 'https'
    const url = urlOf(scheme, listener)
    const notifications = openNotifications({
      config,
      access,
      storage: application.storage,
      clock,
      metrics,
      tracer,
      version: readVersion(),
      isOnLoopback: isLoopback(config.http.bind),
      ownUrl: url,
      requests: () => application.requests(),
      report: (error) => log.error({ err: error }, 'delivery failed'),
      ended: (about) => log.info(about, 'a receiver is gone, and its subscription has ended'),
      delivered: (queue, messages) => application.tally.countDelivered(queue, messages, clock.now()),
    })
    let current = config
    return {
      url,
      adminUrl: adminListener && urlOf(scheme, adminListener),
      socketUrl: socketListener && urlOf(tls === null ? 'ws' : 'wss', socketListener),
      reload(latest) {
        const { config: next, changed, waiting } = reloadConfig(current, latest.config)
        access.reconfigure(next, latest.folders)
        application.reconfigure(next, access)
        notifications.reconfigure(next)
        log.level = levelOf(next)
        current = next
        for (const warning of latest.warnings) log.warn(`configuration: ${warning}`)
        if (waiting.length > 0)
          log.warn({ options: waiting }, 'changed, and in effect when the service is started again')
        // The last of what is said of it: whoever waits for that has read the rest.
        log.info({ changed }, 'configuration read again')
      },
      families: () => watching.families({ withStore: false }),
      takeUntoldRates: () => application.tally.rates.takeUntold(),
      addRates: (counted) => application.tally.rates.add(counted),
      async answers() {
        await storage.ping().catch(() => undefined)
      },
      async close() {
        readiness.drain()
        for (const one of listeners) one.drain()
        await pause(config.http.closingDelaySeconds * 1000)
        application.close()
        tls?.close()
        await Promise.all([...listeners.map((one) => one.close()), notifications.close()])
        await application.end()
        await audit?.close()
        await access.close()
        watching.close()
        backups?.close()
        await store.close()
      },
    }
  } catch (error) {
    await audit?.close()
    watching.close()
    backups?.close()
    await store.close()
    throw error
  }
}

function relocationReports(log: Logger): RelocationReports {
  const nameOf = ({ pool }: Relocation) => (pool === null ? 'the rebalance of pools' : `the drain of pool ${pool}`)
  const about = ({ pool, queuesMoved, recordsMoved }: Relocation) => ({ pool, queuesMoved, recordsMoved })
  return {
    began: (one) => log.info(about(one), `${nameOf(one)} goes on here`),
    ended: (one) => {
      const { queuesLeft, trouble } = one
      if (one.status === 'failed') log.error({ ...about(one), queuesLeft, trouble }, `${nameOf(one)} has failed`)
      else log.info(about(one), `${nameOf(one)} is ${one.status}`)
    },
    troubled: (one, trouble) => log.warn({ ...about(one), trouble }, `${nameOf(one)} is held up`),
  }
}

/** The service does without, where there can be no such socket. */
async function openBackups(uri: StorageUri, freezer: Freezer | null, log: Logger): Promise<{ close(): void } | null> {
  if (uri.engine !== 'sqlite' || freezer === null) return null
  try {
    return await listenForBackups(freezingSocketOf(uri.file), freezer)
  } catch (error) {
    log.warn({ err: error }, 'no backup can be made while the service runs')
    return null
  }
}

/** @throws the error of the system, when the file cannot be written */
async function openAudit({ audit: { file } }: Config, clock: Clock, log: Logger): Promise<LineWriter | null> {
  if (file === null) return null
  const target = file === '-' ? standardOutput : await openLineFile(file)
  const reports = {
    failed: (error: unknown) => log.error({ err: error }, 'the audit log cannot be written; its lines are held'),
    full: () => log.error('the audit log is not written fast enough; from now on its lines are lost'),
    lost: (lines: number) => log.error({ lines }, 'these many lines are missing in the audit log'),
  }
  return new LineWriter({ target, reports, lineOfLost: (lines) => lineOfLost(lines, clock), pause })
}

/** @throws TlsError */
function openTlsOf({ tls: { certFile, keyFile, caFile } }: Config, clock: Clock, log: Logger): Tls | null {
  if (certFile === null || keyFile === null) return null
  const reports = {
    warned: (warning: string) => log.warn(`TLS: ${warning}`),
    renewed: (certificate: object) => log.info(certificate, 'certificate read again'),
    refused: (problem: string) =>
      log.error({ problem }, 'the changed certificate cannot be used; the one before stays'),
  }
  return openTls({ certFile, keyFile, caFile }, { files: diskFiles, clock, reports })
}

interface Listeners {
  readonly listener: Listener
  readonly adminListener: Listener | null
  readonly socketListener: Listener | null
}

async function openListeners(
  application: Application,
  { http, websocket }: Config,
  parts: Pick<ListenerOptions, 'tls' | 'clock' | 'budget' | 'meter' | 'onTrouble'>,
): Promise<Listeners> {
  const { handle, handleForAdmins, upgrade, upgradeAtOwnPort } = application
  const bounds = {
    maxBodyBytes: () => application.maxBodyBytes,
    maxHeaderBytes: http.maxHeaderBytes,
    requestTimeoutSeconds: http.requestTimeoutSeconds,
    silenceSeconds: Math.max(http.requestTimeoutSeconds, SILENCE_SECONDS),
    maxConnections: http.maxConnections,
    closingSeconds: secondsAfterDelay(http),
    upgrade: null,
    ...parts,
  }
  const opened: Listener[] = []
  const open = async (by: Handle | null, at: Pick<ListenerOptions, 'address' | 'upgrade'>, port: number | null) => {
    if (by === null || port === null) return null
    const listener = await listen(by, { ...bounds, ...at, port })
    opened.push(listener)
    return listener
  }
  try {
    const listener = await listen(handle, { ...bounds, address: http.bind, port: http.port, upgrade })
    opened.push(listener)
    return {
      listener,
      adminListener: await open(handleForAdmins, { address: http.adminBind, upgrade: null }, http.adminPort),
      socketListener: await open(ownPortHandle, { address: websocket.bind, upgrade: upgradeAtOwnPort }, websocket.port),
    }
  } catch (error) {
    await Promise.all(opened.map((listener) => listener.close()))
    throw error
  }
}

/** In bytes. Text takes two to four times its length on the heap while it is worked on. */
function defaultBudget(): number {
  return Math.max(LEAST_BUDGET, Math.floor(getHeapStatistics().heap_size_limit / 4))
}

function urlOf(scheme: 'http' | 'https' | 'ws' | 'wss', { address, port }: Listener): string {
  return `${scheme}://${address.includes(':') ? `[${address}]` : address}:${port}`
}
