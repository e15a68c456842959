import { pause } from '../../platform/pause.ts'

/** From the first request to end until the group is killed, in milliseconds. */
const PATIENCE_MS = 3_000
const LOOK_MS = 25

/** A process and all that it has started, but for what has left its group. */
export class ProcessGroup {
  readonly #leader: number

  /** @param leader id of the process after which the group is called */
  constructor(leader: number) {
    this.#leader = leader
  }

  /** Asks it to end, and kills what does not within some seconds. Resolves when nothing of it runs. */
  async end(): Promise<void> {
    this.#send('SIGTERM')
    for (let waited = 0; waited < PATIENCE_MS; waited += LOOK_MS) {
      if (!this.#send(0)) return
      await pause(LOOK_MS)
    }
    this.kill()
  }

  kill(): void {
    this.#send('SIGKILL')
  }

  /** Whether it is there. */
  #send(signal: NodeJS.Signals | 0): boolean {
    try {
      return process.kill(-this.#leader, signal)
    } catch (error) {
      // A process that runs as somebody else cannot be signalled, but is there.
      return (error as NodeJS.ErrnoException).code !== 'ESRCH'
    }
  }
}
