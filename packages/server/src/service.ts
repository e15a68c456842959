/** The composition root: the only place that knows all parts. */
import { mkdirSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { pino } from 'pino'
import { createApplication } from './application.ts'
import type { Config } from './config/options.ts'
import { type StorageUri, storageUri } from './config/storage-uri.ts'
import type { ProbeStore } from './core/execute.ts'
import { listen } from './http/listener.ts'
import type { Clock } from './platform/clock.ts'
import { createSystemClock } from './platform/system-clock.ts'
import { systemIds } from './platform/system-ids.ts'
import { type Storage, StorageUnavailable } from './storage/contract.ts'
import { openSqlite } from './storage/sqlite/open-sqlite.ts'

export interface Service {
  readonly url: string
  close(): Promise<void>
}

/** @throws StorageUnavailable, or the error of the listener. */
export async function startService(config: Config): Promise<Service> {
  const log = pino({ level: config.log.debug ? 'debug' : 'info' }, pino.destination({ dest: 2, sync: true }))
  const clock = createSystemClock()
  mkdirSync(config.storage.dataDir, { recursive: true, mode: 0o700 })
  const storage = await openStorage(config.storage.uri, clock)
  const application = createApplication({
    config,
    storage,
    clock,
    ids: systemIds,
    probeStore: createProbeStore({ storage, uri: config.storage.uri }, clock),
    onTrouble: (error, { method, target }) => log.error({ err: error, method, target }, 'request failed'),
  })
  try {
    const listener = await listen(application.handle, {
      address: config.http.bind,
      port: config.http.port,
      maxBodyBytes: Math.max(config.limits.maxMessagesPostBytes, config.limits.maxQueueMetadataBytes),
      maxHeaderBytes: config.http.maxHeaderBytes,
      requestTimeoutSeconds: config.http.requestTimeoutSeconds,
      maxConnections: config.http.maxConnections,
    })
    const host = listener.address.includes(':') ? `[${listener.address}]` : listener.address
    return {
      url: `http://${host}:${listener.port}`,
      async close() {
        application.close()
        await listener.close()
        await storage.close()
      },
    }
  } catch (error) {
    await storage.close()
    throw error
  }
}

/** The folder of the file is made when it is missing, for this user alone. */
function openStorage(uri: Config['storage']['uri'], clock: Clock): Promise<Storage> {
  mkdirSync(dirname(uri.file), { recursive: true, mode: 0o700 })
  return openSqlite({ path: uri.file, clock })
}

/** Pools are tried one by one as they are registered. `own` is the store of this service, which nobody else can open. */
function createProbeStore(own: { readonly storage: Storage; readonly uri: StorageUri }, clock: Clock): ProbeStore {
  return async (text) => {
    const uri = storageUri.parse(text)
    if ('refused' in uri) return uri.refused
    const { file } = uri.value
    try {
      if (resolve(file) === resolve(own.uri.file)) await own.storage.ping()
      else {
        const storage = await openSqlite({ path: file, clock })
        await storage.ping().finally(() => storage.close())
      }
      return null
    } catch (error) {
      if (error instanceof StorageUnavailable) return error.message
      throw error
    }
  }
}
