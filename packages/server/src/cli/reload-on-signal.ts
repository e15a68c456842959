import type { Logger } from 'pino'
import { PolicyError } from '../auth/policy/policy-error.ts'
import { ConfigError, type Loaded } from '../config/load.ts'
import type { ServiceManager } from './service-manager.ts'

interface Reloaded {
  /** Reads the configuration. @throws ConfigError */
  read(): Loaded
  /** @throws PolicyError */
  reload(latest: Loaded): void | Promise<void>
  readonly log: Logger
  readonly manager: Pick<ServiceManager, 'reloading' | 'ready'>
  /** What the service manager shows while all is well. */
  readonly status: string
}

/**
 * SIGHUP reads the configuration again. One that cannot be used changes nothing and is reported. Of signals that come
 * meanwhile one counts.
 */
export function reloadOnSignal(parts: Reloaded): void {
  let isReloading = false
  let isAskedAgain = false
  process.on('SIGHUP', async () => {
    isAskedAgain = true
    if (isReloading) return
    isReloading = true
    while (isAskedAgain) {
      isAskedAgain = false
      await reloadOnce(parts)
    }
    isReloading = false
  })
}

async function reloadOnce({ read, reload, log, manager, status }: Reloaded): Promise<void> {
  manager.reloading()
  try {
    await reload(read())
    manager.ready(status)
  } catch (error) {
    reportRefused(error, log)
    manager.ready(`${status}, but the changed configuration cannot be used: see the log`)
  }
}

/** Also of what is no problem of the configuration, since the service goes on. */
export function reportRefused(error: unknown, log: Logger): void {
  const known =
    error instanceof ConfigError || error instanceof PolicyError ? { problems: error.problems } : { err: error }
  log.error(known, 'the changed configuration cannot be used; the one before stays')
}
