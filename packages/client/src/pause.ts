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
