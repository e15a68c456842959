/** Microseconds of the clock that systemd calls monotonic: since the machine was started, wherever that is Linux. */
export function monotonicMicroseconds(): bigint {
  return process.hrtime.bigint() / 1000n
}
