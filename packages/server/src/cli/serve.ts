import { homedir } from 'node:os'
import type { Logger } from 'pino'
import { readPolicy } from '../auth/policy/policy-source.ts'
import type { Flags } from '../config/flags.ts'
import { ConfigError, type Loaded, loadConfig } from '../config/load.ts'
import { whyOneProcess } from '../open-store.ts'
import { diskFiles } from '../platform/disk-files.ts'
import { createSystemClock } from '../platform/system-clock.ts'
import { createLog, type Service, startService } from '../service.ts'
import { banner } from './banner.ts'
import { endOnSignal } from './end-on-signal.ts'
import { runWorker } from './run-worker.ts'
import { Supervisor } from './supervisor.ts'
import { readVersion } from './version.ts'
import { ownNumber } from './worker-role.ts'

/** Resolves when the service is ready; it then runs until a signal ends it. */
export async function serve(flags: Flags): Promise<void> {
  const loaded = loadConfig({ flags, env: process.env, homeDir: homedir(), files: diskFiles })
  const number = ownNumber()
  if (number !== null) return runWorker(loaded, number)
  if (loaded.noEffect.length > 0) {
    process.stderr.write(`zaqar: these settings have no effect here:\n${indent(loaded.noEffect)}`)
  }
  for (const warning of loaded.warnings) process.stderr.write(`zaqar: ${warning}\n`)
  const { config, folders } = loaded
  const log = createLog(config)
  const service = config.http.workers > 1 ? await startWorkers(loaded, log) : await startService(config, folders, log)
  endOnSignal(service, config.http.closingSeconds, 'the service')
  process.stdout.write(banner(loaded, service, readVersion()))
}

/** @throws ConfigError when the store is not for several processes. */
async function startWorkers({ config, folders }: Loaded, log: Logger): Promise<Service> {
  const reason = await whyOneProcess(config.storage.uri)
  if (reason !== null)
    throw new ConfigError([`[drivers:transport:wsgi] workers: ${config.http.workers} were given, but ${reason}`])
  // Otherwise a worker that takes the place of another would do without rules that were lost meanwhile.
  const { sources } = readPolicy({ ...config.policy, places: folders }, diskFiles)
  const supervisor = new Supervisor(log, createSystemClock(), sources)
  const urls = await supervisor.start(config.http.workers)
  return { ...urls, close: () => supervisor.close() }
}

function indent(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}\n`).join('')
}
