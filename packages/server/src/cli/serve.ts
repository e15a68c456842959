import { homedir } from 'node:os'
import { isDeepStrictEqual } from 'node:util'
import type { Logger } from 'pino'
import { PolicyError } from '../auth/policy/policy-error.ts'
import { type PolicySettings, readPolicy } from '../auth/policy/policy-source.ts'
import type { Flags } from '../config/flags.ts'
import { ConfigError, type Loaded, loadConfig } from '../config/load.ts'
import { whyOneProcess } from '../open-store.ts'
import { diskFiles } from '../platform/disk-files.ts'
import { createSystemClock } from '../platform/system-clock.ts'
import { createLog, levelOf, type Service, startService } from '../service.ts'
import { banner } from './banner.ts'
import { endOnSignal } from './end-on-signal.ts'
import { reloadOnSignal } from './reload-on-signal.ts'
import { runWorker } from './run-worker.ts'
import { ServiceManager } from './service-manager.ts'
import { Supervisor } from './supervisor.ts'
import { readVersion } from './version.ts'
import { ownNumber } from './worker-role.ts'

/** Resolves when the service is ready; it then runs until a signal ends it. */
export async function serve(flags: Flags): Promise<void> {
  const read = () => loadConfig({ flags, env: process.env, homeDir: homedir(), files: diskFiles })
  const number = ownNumber()
  if (number !== null) return runWorker(read, number)
  const loaded = read()
  if (loaded.noEffect.length > 0) {
    process.stderr.write(`zaqar: these settings have no effect here:\n${indent(loaded.noEffect)}`)
  }
  for (const warning of loaded.warnings) process.stderr.write(`zaqar: ${warning}\n`)
  const { config, folders } = loaded
  const log = createLog(config)
  const manager = new ServiceManager(process.env, log)
  const service = config.http.workers > 1 ? await startWorkers(loaded, log) : await startService(config, folders, log)
  const close = () => {
    manager.stopping()
    return service.close()
  }
  endOnSignal({ close }, config.http.closingSeconds, 'the service')
  const status = `Serving at ${service.url}`
  reloadOnSignal({ read, reload: (latest) => service.reload(latest), log, manager, status })
  process.stdout.write(banner(loaded, service, readVersion()))
  manager.ready(status)
  void manager.keepAlive(() => service.answers())
}

/** @throws ConfigError when the store is not for several processes. */
async function startWorkers({ config, folders }: Loaded, log: Logger): Promise<Service> {
  const reason = await whyOneProcess(config.storage.uri)
  if (reason !== null)
    throw new ConfigError([`[drivers:transport:wsgi] workers: ${config.http.workers} were given, but ${reason}`])
  let policy: PolicySettings = { ...config.policy, places: folders }
  // Otherwise a worker that takes the place of another would do without rules that were lost meanwhile.
  const supervisor = new Supervisor(log, createSystemClock(), readPolicy(policy, diskFiles).sources)
  const urls = await supervisor.start(config.http.workers)
  return {
    ...urls,
    async reload(latest) {
      const latestPolicy = { ...latest.config.policy, places: latest.folders }
      if (!isDeepStrictEqual(policy, latestPolicy)) {
        const { sources, problems } = readPolicy(latestPolicy, diskFiles)
        if (problems.length > 0) throw new PolicyError(problems)
        policy = latestPolicy
        supervisor.needPolicies(sources)
      }
      log.level = levelOf(latest.config)
      if (!(await supervisor.reload())) log.error('not all workers could use the changed configuration')
    },
    answers: () => supervisor.answers(),
    close: () => supervisor.close(),
  }
}

function indent(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}\n`).join('')
}
