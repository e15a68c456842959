import type { Loaded } from '../config/load.ts'
import { createLog, startService } from '../service.ts'
import { endOnSignal } from './end-on-signal.ts'
import { neededPolicies, type Ready } from './worker-role.ts'

/**
 * Serves beside others, on sockets that the supervisor holds, and reports when it is ready. It ends when it is told to;
 * when the supervisor goes away, Node ends it.
 */
export async function runWorker({ config, folders }: Loaded, number: number): Promise<void> {
  const service = await startService(config, folders, createLog(config, { worker: number }), neededPolicies())
  endOnSignal(service, config.http.closingSeconds, `worker ${number}`)
  const { url, adminUrl, socketUrl } = service
  process.send?.({ url, adminUrl, socketUrl } satisfies Ready)
}
