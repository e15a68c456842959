import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'

/** Longer than anything here takes on a busy machine. Only a failing test waits as long. */
const PATIENCE_MS = 20_000
const PAUSE_MS = 20

/**
 * Asks again and again until it is so: for what gives no signal, such as another process, the kernel or a database.
 * Whatever has one is awaited by that instead.
 */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  message = 'it did not come to that',
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const end = performance.now() + patienceMs
  while (!(await isSo())) {
    assert.ok(performance.now() < end, message)
    await sleep(PAUSE_MS)
  }
}
