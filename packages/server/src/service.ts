/** The composition root: the only place that knows all parts. */
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { pino } from 'pino'
import type { Config } from './config/options.ts'
import { createExecute } from './core/execute.ts'
import { createHandler } from './http/handler.ts'
import { listen } from './http/listener.ts'
import { createRoutes } from './http/routes.ts'
import type { Clock } from './platform/clock.ts'
import { createSystemClock } from './platform/system-clock.ts'
import type { Storage } from './storage/contract.ts'
import { openSqlite } from './storage/sqlite/open-sqlite.ts'
import { createV2 } from './wire/v2/version.ts'
import { versionsDocument } from './wire/versions.ts'

export interface Service {
  readonly url: string
  close(): Promise<void>
}

/** @throws StorageUnavailable, or the error of the listener. */
export async function startService(config: Config): Promise<Service> {
  const log = pino({ level: config.log.debug ? 'debug' : 'info' }, pino.destination({ dest: 2, sync: true }))
  const clock = createSystemClock()
  const storage = await openStorage(config, clock)
  try {
    const limits = { ...config.limits, deleteNeedsClaimIds: config.messages.deleteNeedsClaimIds }
    const versions = [createV2({ ...limits, checksum: config.messages.checksum })]
    const handle = createHandler({
      findRoute: createRoutes(versions, versionsDocument(versions)),
      execute: createExecute({ storage, clock, limits }),
      clientIds: { ...config.clientId, strict: config.clientId.check === 'strict' },
      onTrouble: (error, { method, target }) => log.error({ err: error, method, target }, 'request failed'),
    })
    const listener = await listen(handle, {
      address: config.http.bind,
      port: config.http.port,
      maxBodyBytes: Math.max(limits.maxMessagesPostBytes, limits.maxQueueMetadataBytes),
      maxHeaderBytes: config.http.maxHeaderBytes,
      requestTimeoutSeconds: config.http.requestTimeoutSeconds,
      maxConnections: config.http.maxConnections,
    })
    const host = listener.address.includes(':') ? `[${listener.address}]` : listener.address
    return {
      url: `http://${host}:${listener.port}`,
      async close() {
        await listener.close()
        await storage.close()
      },
    }
  } catch (error) {
    await storage.close()
    throw error
  }
}

/** The folders that hold the data are for this user alone. */
function openStorage({ storage: { dataDir, uri } }: Config, clock: Clock): Promise<Storage> {
  for (const folder of [dataDir, dirname(uri.file)]) mkdirSync(folder, { recursive: true, mode: 0o700 })
  return openSqlite({ path: uri.file, clock })
}
