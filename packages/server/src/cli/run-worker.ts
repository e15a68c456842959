import type { Loaded } from '../config/load.ts'
import { createLog, startService } from '../service.ts'
import { endOnSignal } from './end-on-signal.ts'
import { reportRefused } from './reload-on-signal.ts'
import { withOtherWorkers } from './worker-metrics.ts'
import { answerQuestions } from './worker-questions.ts'
import { shareRates } from './worker-rates.ts'
import { neededPolicies, type Ready } from './worker-role.ts'

/**
 * Serves beside others, on sockets that the supervisor holds, and reports when it is ready. It ends when it is told to;
 * when the supervisor goes away, Node ends it. `read` reads the configuration.
 */
export async function runWorker(read: () => Loaded, number: number): Promise<void> {
  const { config, folders } = read()
  const log = createLog(config, { worker: number })
  const starting = startService(config, folders, log, neededPolicies(), withOtherWorkers)
  answerQuestions({
    reload: async () => {
      const service = await starting
      try {
        await service.reload(read())
        return true
      } catch (error) {
        reportRefused(error, log)
        return false
      }
    },
    answer: async () => {
      await (await starting).answers()
      return true
    },
    measure: async () => (await starting).families(),
  })
  // From a terminal that is closed; the supervisor says when to read the configuration again.
  process.on('SIGHUP', () => {})
  const service = await starting
  shareRates(service)
  endOnSignal(service, config.http.closingSeconds, `worker ${number}`)
  const { url, adminUrl, socketUrl } = service
  process.send?.({ url, adminUrl, socketUrl } satisfies Ready)
}
