import type { Instant } from '../model/model.ts'
import type { Clock, Timer } from '../platform/clock.ts'
import { Tally } from './tally.ts'

export interface SlotsOptions {
  readonly clock: Clock
  readonly perHost: number
  readonly perProject: number
}

/** Who wants to try: few at once may, for each host and for each project. */
interface Claimant {
  readonly host: string
  readonly project: string
}

interface Waiting extends Claimant {
  timer: Timer
  answer(leave: (() => void) | null): void
}

interface Host {
  inUse: number
  /** When a slot was given back last, or the first was taken. */
  movedAt: Instant
  /** How long a slot is in use, in milliseconds: the later ones count more. */
  usualMs: number
  readonly line: Set<Waiting>
}

/** In milliseconds. A host none of whose slots came free for so long is stuck: nobody stands in line for it. */
const STUCK = 1_000
/** In milliseconds: nor does anybody who would have to wait for longer. */
const LONGEST_WAIT = 5_000
/** Of a host that nothing is known of. */
const FIRST_USUAL_MS = 50
const WEIGHT_OF_LATEST = 0.2

/**
 * Keeps one host that is slow or dead, and one project that is busy, from taking all there is: each has a number of
 * slots. Whoever finds none free stands in line, unless nothing moves there or it is too long; then it is sent away.
 */
export class Slots {
  #options: SlotsOptions
  readonly #hosts = new Map<string, Host>()
  readonly #projects = new Tally()

  constructor(options: SlotsOptions) {
    this.#options = options
  }

  /** Answers the function that gives the slot back, or null for who was sent away. */
  async enter(claimant: Claimant): Promise<(() => void) | null> {
    if (this.#hasRoom(claimant)) return this.#take(claimant)
    const host = this.#hostOf(claimant)
    const isTooLong = (host.line.size * host.usualMs) / this.#options.perHost > LONGEST_WAIT
    return isTooLong || this.#isStuck(host) ? null : this.#standInLine(claimant, host)
  }

  /** How many may try from now on; those who try already go on. */
  limit(limits: Pick<SlotsOptions, 'perHost' | 'perProject'>): void {
    this.#options = { ...this.#options, ...limits }
    for (const host of this.#hosts.values()) this.#serve(host)
  }

  /** Sends away all who wait. */
  clear(): void {
    for (const { line } of this.#hosts.values()) for (const waiting of line) waiting.answer(null)
  }

  #standInLine(claimant: Claimant, host: Host): Promise<(() => void) | null> {
    return new Promise((resolve) => {
      const waiting: Waiting = {
        ...claimant,
        timer: this.#inAWhile(() => look()),
        answer: (leave) => {
          waiting.timer.cancel()
          host.line.delete(waiting)
          this.#forget(claimant.host)
          resolve(leave)
        },
      }
      const look = () => {
        if (this.#isStuck(host)) waiting.answer(null)
        else waiting.timer = this.#inAWhile(look)
      }
      host.line.add(waiting)
    })
  }

  #inAWhile(callback: () => void): Timer {
    const { clock } = this.#options
    return clock.at(clock.now() + STUCK, callback)
  }

  #isStuck({ movedAt }: Host): boolean {
    return this.#options.clock.now() - movedAt >= STUCK
  }

  #hasRoom({ host, project }: Claimant): boolean {
    const { perHost, perProject } = this.#options
    return (this.#hosts.get(host)?.inUse ?? 0) < perHost && this.#projects.of(project) < perProject
  }

  #hostOf({ host: name }: Claimant): Host {
    const known = this.#hosts.get(name)
    if (known) return known
    const host: Host = { inUse: 0, movedAt: this.#options.clock.now(), usualMs: FIRST_USUAL_MS, line: new Set() }
    this.#hosts.set(name, host)
    return host
  }

  #take(claimant: Claimant): () => void {
    const { clock } = this.#options
    const { project } = claimant
    const host = this.#hostOf(claimant)
    const takenAt = clock.now()
    host.inUse += 1
    this.#projects.add(project, 1)
    return () => {
      const wasFull = this.#projects.of(project) >= this.#options.perProject
      this.#projects.add(project, -1)
      host.inUse -= 1
      host.movedAt = clock.now()
      host.usualMs += WEIGHT_OF_LATEST * (host.movedAt - takenAt - host.usualMs)
      this.#serve(host)
      // Those of a project that had no room stand in the lines of many hosts.
      if (wasFull) for (const other of this.#hosts.values()) this.#serve(other)
      this.#forget(claimant.host)
    }
  }

  /** Nobody is there any more. */
  #forget(name: string): void {
    const host = this.#hosts.get(name)
    if (host?.inUse === 0 && host.line.size === 0) this.#hosts.delete(name)
  }

  /** In the order in which they came, those for whom there is room by now. */
  #serve(host: Host): void {
    for (const waiting of host.line) {
      if (host.inUse >= this.#options.perHost) return
      if (this.#hasRoom(waiting)) waiting.answer(this.#take(waiting))
    }
  }
}
