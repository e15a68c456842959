import type { Clock, Timer } from '../platform/clock.ts'

export interface SlotsOptions {
  readonly clock: Clock
  readonly perHost: number
  readonly perProject: number
}

/** Who wants to try: few at once may, for each host and for each project. */
export interface Claimant {
  readonly host: string
  readonly project: string
}

interface Waiting extends Claimant {
  readonly timer: Timer
  answer(leave: (() => void) | null): void
}

/** How long somebody stands in line, in milliseconds, and how many do at most for one host, for each of its slots. */
const LONGEST_WAIT = 5_000
const LINE_PER_SLOT = 2

/**
 * Keeps one host that is slow or dead, and one project that is busy, from taking all there is: each has a number of
 * slots. Whoever finds none free stands in line for a while, and then is sent away.
 */
export class Slots {
  readonly #options: SlotsOptions
  readonly #hosts = new Map<string, number>()
  readonly #projects = new Map<string, number>()
  /** Those who wait, by host. */
  readonly #lines = new Map<string, Set<Waiting>>()

  constructor(options: SlotsOptions) {
    this.#options = options
  }

  /** Answers the function that gives the slot back, or null when there was none to be had in time. */
  async enter(claimant: Claimant): Promise<(() => void) | null> {
    if (this.#hasRoom(claimant)) return this.#take(claimant)
    const { clock, perHost } = this.#options
    const line = this.#lines.get(claimant.host) ?? new Set()
    if (line.size >= perHost * LINE_PER_SLOT) return null
    this.#lines.set(claimant.host, line)
    return new Promise((resolve) => {
      const waiting: Waiting = {
        ...claimant,
        timer: clock.at(clock.now() + LONGEST_WAIT, () => waiting.answer(null)),
        answer: (leave) => {
          waiting.timer.cancel()
          line.delete(waiting)
          if (line.size === 0) this.#lines.delete(claimant.host)
          resolve(leave)
        },
      }
      line.add(waiting)
    })
  }

  /** Sends away all who wait. */
  clear(): void {
    for (const line of this.#lines.values()) for (const waiting of line) waiting.answer(null)
  }

  #hasRoom({ host, project }: Claimant): boolean {
    const { perHost, perProject } = this.#options
    return (this.#hosts.get(host) ?? 0) < perHost && (this.#projects.get(project) ?? 0) < perProject
  }

  #take({ host, project }: Claimant): () => void {
    add(this.#hosts, host, 1)
    add(this.#projects, project, 1)
    return () => {
      const wasFull = this.#projects.get(project) === this.#options.perProject
      add(this.#hosts, host, -1)
      add(this.#projects, project, -1)
      this.#serve(this.#lines.get(host))
      // Those of a project that had no room stand in the lines of many hosts.
      if (wasFull) for (const line of this.#lines.values()) this.#serve(line)
    }
  }

  /** In the order in which they came, those for whom there is room by now. */
  #serve(line: Iterable<Waiting> = []): void {
    for (const waiting of line) {
      if (this.#hasRoom(waiting)) waiting.answer(this.#take(waiting))
    }
  }
}

function add(counts: Map<string, number>, name: string, more: number): void {
  const count = (counts.get(name) ?? 0) + more
  if (count === 0) counts.delete(name)
  else counts.set(name, count)
}
