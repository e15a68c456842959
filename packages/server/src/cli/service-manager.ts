import { execFile } from 'node:child_process'
import type { Logger } from 'pino'
import { monotonicMicroseconds } from '../platform/monotonic.ts'
import { pause } from '../platform/pause.ts'

/** For the command that tells systemd, in milliseconds. */
const TELLING_MS = 10_000

/**
 * Tells systemd what the service does, where it wants to know (sd_notify(3)); elsewhere it does nothing. systemd listens on a
 * datagram socket of Unix, which Node cannot write to, so its own command does; hence the unit needs `NotifyAccess=all`.
 */
export class ServiceManager {
  readonly #listens: boolean
  readonly #watchdogMs: number | null
  readonly #log: Logger
  /** What has been told is told in its order. */
  #told: Promise<void> = Promise.resolve()
  #hasFailed = false

  constructor({ NOTIFY_SOCKET, WATCHDOG_USEC }: NodeJS.ProcessEnv, log: Logger) {
    this.#listens = NOTIFY_SOCKET !== undefined
    this.#watchdogMs = WATCHDOG_USEC === undefined ? null : Number(WATCHDOG_USEC) / 1000
    this.#log = log
  }

  /** `status`: a line for `systemctl status`. */
  ready(status: string): void {
    this.#tell('READY=1', `STATUS=${status}`)
  }

  reloading(): void {
    this.#tell('RELOADING=1', `MONOTONIC_USEC=${monotonicMicroseconds()}`)
  }

  stopping(): void {
    this.#tell('STOPPING=1', 'STATUS=Ending what has begun')
  }

  /**
   * Says that the service is alive, at least twice in the time after which systemd takes it for dead, as long as `answers`
   * resolves.
   */
  async keepAlive(answers: () => Promise<void>): Promise<void> {
    if (!this.#listens || this.#watchdogMs === null) return
    for (;;) {
      await answers()
      await this.#tell('WATCHDOG=1')
      await pause(this.#watchdogMs / 3)
    }
  }

  #tell(...assignments: readonly string[]): Promise<void> {
    if (this.#listens) this.#told = this.#told.then(() => this.#run(assignments))
    return this.#told
  }

  #run(assignments: readonly string[]): Promise<void> {
    return new Promise((resolve) => {
      execFile('systemd-notify', ['--', ...assignments], { timeout: TELLING_MS }, (error) => {
        if (error !== null && !this.#hasFailed) this.#log.error({ err: error }, 'systemd cannot be told')
        this.#hasFailed = error !== null
        resolve()
      })
    })
  }
}
