/** The composition root: the only place that knows all parts. */
import { mkdirSync } from 'node:fs'
import { pino } from 'pino'
import { openAccess } from './access.ts'
import { type Application, createApplication } from './application.ts'
import { installationKey } from './auth/signing-key.ts'
import type { Config } from './config/options.ts'
import { type Listener, listen } from './http/listener.ts'
import { createProbeStore, openStore } from './open-store.ts'
import { diskFiles } from './platform/disk-files.ts'
import { createSystemClock } from './platform/system-clock.ts'
import { systemIds } from './platform/system-ids.ts'

export interface Service {
  readonly url: string
  /** Where alone the routes of operators are served; null when they are with the others or nowhere. */
  readonly adminUrl: string | null
  close(): Promise<void>
}

/**
 * `folders`: where files that the configuration names by relative paths are looked for.
 * @throws PolicyError, StorageUnavailable, or the error of the listener.
 */
export async function startService(config: Config, folders: readonly string[]): Promise<Service> {
  const log = pino({ level: config.log.debug ? 'debug' : 'info' }, pino.destination({ dest: 2, sync: true }))
  mkdirSync(config.storage.dataDir, { recursive: true, mode: 0o700 })
  const store = await openStore(config.storage, createSystemClock())
  const { storage, clock } = store
  try {
    const access = openAccess({
      config,
      folders,
      files: diskFiles,
      clock,
      reports: {
        warned: (warning) => log.warn(`policy: ${warning}`),
        reloaded: (paths) => log.info({ paths }, 'policy read again'),
        refused: (problems) => log.error({ problems }, 'the changed policy cannot be used; the one before stays'),
      },
      installationKey: () => installationKey(config.storage.dataDir),
    })
    const application = createApplication({
      config,
      access,
      storage,
      clock,
      ids: systemIds,
      probeStore: createProbeStore({ storage, uri: config.storage.uri }, clock),
      onTrouble: (error, about) => log.error({ err: error, ...about }, 'request failed'),
    })
    const { listener, adminListener } = await openListeners(application, config)
    return {
      url: urlOf(listener),
      adminUrl: adminListener && urlOf(adminListener),
      async close() {
        application.close()
        await Promise.all([listener.close(), adminListener?.close()])
        await access.close()
        await store.close()
      },
    }
  } catch (error) {
    await store.close()
    throw error
  }
}

async function openListeners(
  { handle, handleForAdmins }: Application,
  { http, limits }: Config,
): Promise<{ listener: Listener; adminListener: Listener | null }> {
  const bounds = {
    maxBodyBytes: Math.max(limits.maxMessagesPostBytes, limits.maxQueueMetadataBytes),
    maxHeaderBytes: http.maxHeaderBytes,
    requestTimeoutSeconds: http.requestTimeoutSeconds,
    maxConnections: http.maxConnections,
  }
  const listener = await listen(handle, { address: http.bind, port: http.port, ...bounds })
  if (handleForAdmins === null || http.adminPort === null) return { listener, adminListener: null }
  try {
    const at = { address: http.adminBind, port: http.adminPort }
    return { listener, adminListener: await listen(handleForAdmins, { ...at, ...bounds }) }
  } catch (error) {
    await listener.close()
    throw error
  }
}

function urlOf({ address, port }: Listener): string {
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}`
}
