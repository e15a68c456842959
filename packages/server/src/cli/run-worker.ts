import type { Loaded } from '../config/load.ts'
import { createLog, startService } from '../service.ts'
import { describeStartError } from './start-error.ts'
import type { Ready } from './worker-role.ts'

/**
 * Serves beside others, on sockets that the supervisor holds, and reports when it is ready. It ends when it is told to; when
 * the supervisor goes away, Node ends it.
 */
export async function runWorker({ config, folders }: Loaded, number: number): Promise<void> {
  const service = await startService(config, folders, createLog(config, { worker: number }))
  let isEnding = false
  const end = (): void => {
    // A terminal or a service manager signals to all processes, and the supervisor passes its own signal on.
    if (isEnding) return
    isEnding = true
    service.close().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`zaqar: worker ${number} did not end well: ${describeStartError(error)}\n`)
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', end).on('SIGINT', end)
  process.send?.({ url: service.url, adminUrl: service.adminUrl } satisfies Ready)
}
