import type { Clock, Timer } from './clock.ts'

/** How long a change may go unnoticed. */
const LOOK_EVERY_MS = 1000

export interface Watched {
  readonly clock: Clock
  /** Another text as soon as what is watched has changed. May throw: that it cannot be told is a change as well. */
  stamp(): string
  /** What `stamp` answered before what is in force was read. */
  readonly since: string
  /** What it throws goes to `failed`. */
  changed(): void
  failed(error: unknown): void
}

/**
 * Looks for changes of files once a second. Notices of the file system would come sooner, but not from network file
 * systems, and not reliably where a link is turned to another file, as certificates and configuration are often
 * replaced.
 */
export function watchForChanges({ clock, stamp, since, changed, failed }: Watched): Timer {
  let latest = since
  let timer: Timer
  const look = (): void => {
    try {
      const seen = stampOrTrouble(stamp)
      if (seen !== latest) {
        latest = seen
        changed()
      }
    } catch (error) {
      failed(error)
    }
    wait()
  }
  const wait = (): void => {
    timer = clock.at(clock.now() + LOOK_EVERY_MS, look)
  }
  wait()
  return { cancel: () => timer.cancel() }
}

function stampOrTrouble(stamp: () => string): string {
  try {
    return stamp()
  } catch (error) {
    return String(error)
  }
}
