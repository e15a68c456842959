/** The least of a discrete-event simulation: what happens when, and stations with jobs that wait. Times are seconds. */

interface Event {
  readonly at: number
  /** Events of one instant happen in the order in which they were planned. */
  readonly turn: number
  readonly action: () => void
}

export class Simulation {
  now = 0
  /** A binary heap, the earliest event on top. */
  readonly #events: Event[] = []
  #turns = 0

  after(seconds: number, action: () => void): void {
    this.#push({ at: this.now + seconds, turn: this.#turns++, action })
  }

  /** Until that instant, or until nothing is planned any more. */
  runUntil(end: number): void {
    for (let next = this.#events[0]; next !== undefined && next.at <= end; next = this.#events[0]) {
      this.#pop()
      this.now = next.at
      next.action()
    }
    this.now = end
  }

  #push(event: Event): void {
    const events = this.#events
    let place = events.length
    while (place > 0) {
      const above = (place - 1) >> 1
      const parent = events[above] as Event
      if (isBefore(parent, event)) break
      events[place] = parent
      place = above
    }
    events[place] = event
  }

  #pop(): void {
    const events = this.#events
    const last = events.pop() as Event
    if (events.length === 0) return
    let place = 0
    for (;;) {
      let below = 2 * place + 1
      const [left, right] = [events[below], events[below + 1]]
      if (left !== undefined && right !== undefined && isBefore(right, left)) below += 1
      const child = events[below]
      if (child === undefined || isBefore(last, child)) break
      events[place] = child
      place = below
    }
    events[place] = last
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.turn < b.turn)
}

/** Servers, all alike, in front of which jobs wait in the order in which they came. */
export class Station {
  readonly #simulation: Simulation
  #free: number
  readonly #waiting = new Fifo<() => void>()
  /** Of all servers together. */
  busySeconds = 0

  constructor(simulation: Simulation, servers: number) {
    this.#simulation = simulation
    this.#free = servers
  }

  /** Takes a server as soon as it is the turn of this job, which says when it is done with it. */
  enter(begin: () => void): void {
    if (this.#free > 0) {
      this.#free -= 1
      begin()
    } else this.#waiting.push(begin)
  }

  leave(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free += 1
    else next()
  }

  /** A job that takes so long. */
  serve(seconds: number, done: () => void): void {
    this.enter(() => {
      this.busySeconds += seconds
      this.#simulation.after(seconds, () => {
        this.leave()
        done()
      })
    })
  }
}

/** Takes from the front without moving the rest. */
class Fifo<T> {
  #items: T[] = []
  #taken = 0

  push(item: T): void {
    this.#items.push(item)
  }

  shift(): T | undefined {
    const item = this.#items[this.#taken]
    if (item === undefined) return undefined
    this.#taken += 1
    if (this.#taken > 1024 && 2 * this.#taken > this.#items.length) {
      this.#items = this.#items.slice(this.#taken)
      this.#taken = 0
    }
    return item
  }
}

/** Numbers from 0 to below 1, the same for the same seed: a multiplicative congruential generator modulo 2^31 - 1. */
export function randomFrom(seed: number): () => number {
  const MODULUS = 2 ** 31 - 1
  let state = (Math.floor(Math.abs(seed)) % (MODULUS - 1)) + 1
  return () => {
    state = (state * 48_271) % MODULUS
    return (state - 1) / (MODULUS - 1)
  }
}

/** With this mean. */
export function exponential(random: () => number, mean: number): number {
  return -mean * Math.log(1 - random())
}
