/** Resolves after so many milliseconds. @throws the reason of the signal, when it aborts before */
export function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const leave = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', leave)
      resolve()
    }, milliseconds)
    signal?.addEventListener('abort', leave, { once: true })
  })
}

/** How long to wait before try number `tries` + 1, in milliseconds: doubled each time, with chance in it. */
export function backoff(tries: number, { first = 200, longest = 30_000 } = {}): number {
  const whole = Math.min(longest, first * 2 ** Math.min(tries, 20))
  return whole / 2 + (Math.random() * whole) / 2
}

/** The same, but it ends when a browser says that it is online again. */
export async function rest(milliseconds: number, signal: AbortSignal): Promise<void> {
  const page = globalThis as unknown as Partial<EventTarget>
  const { promise, resolve } = Promise.withResolvers<void>()
  const wake = () => resolve()
  const timer = setTimeout(wake, milliseconds)
  page.addEventListener?.('online', wake)
  try {
    await unlessAborted(promise, signal)
  } finally {
    clearTimeout(timer)
    page.removeEventListener?.('online', wake)
  }
}

/** A timer runs no longer, in milliseconds. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/**
 * A signal that aborts after so many seconds, or with another one. `end` takes it away from there: with
 * `AbortSignal.any` each request would leave something behind at a signal that lives for long.
 */
export function timeLimit(seconds: number, signal: AbortSignal | undefined): { signal: AbortSignal; end(): void } {
  const controller = new AbortController()
  const leave = () => controller.abort(signal?.reason)
  const timer = setTimeout(() => controller.abort(), Math.min(seconds * 1000, LONGEST_TIMER_MS))
  signal?.addEventListener('abort', leave, { once: true })
  if (signal?.aborted) leave()
  return {
    signal: controller.signal,
    end() {
      clearTimeout(timer)
      signal?.removeEventListener('abort', leave)
    },
  }
}

/** What a promise brings, but no longer than until the signal aborts. @throws the reason of the signal */
export async function unlessAborted<Value>(promise: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (signal === undefined) return promise
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const leave = () => reject(signal.reason)
  signal.addEventListener('abort', leave, { once: true })
  if (signal.aborted) leave()
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', leave)
  }
}
