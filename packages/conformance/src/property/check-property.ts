import type { TestContext } from 'node:test'
import fc from 'fast-check'

export interface PropertyOptions {
  /** How many random sequences are tried. */
  readonly sequences: number
  /** The most steps in a sequence. */
  readonly steps: number
}

/** A failure that shows by waiting in vain takes long to make smaller; what was found by then is reported. */
const shrinkingMilliseconds = 60_000

/**
 * Tries random values and, where one fails, says how to run exactly that failure again. `ZAQAR_SEED` holds the seed
 * and, after a comma, the path to one value.
 */
export async function checkProperty<Value>(
  t: TestContext,
  values: fc.Arbitrary<Value>,
  holds: (value: Value) => Promise<void>,
  { sequences }: PropertyOptions,
): Promise<void> {
  const [seed = `${Date.now() | 0}`, path] = process.env['ZAQAR_SEED']?.split(',') ?? []
  t.diagnostic(`seed ${seed}`)
  const details = await fc.check(fc.asyncProperty(values, shrinkingBriefly(holds)), {
    seed: Number(seed),
    numRuns: sequences,
    // The usual bias towards small values would make most sequences short.
    unbiased: true,
    ...(path !== undefined && { path }),
  })
  if (!details.failed) return
  const replay = `ZAQAR_SEED=${details.seed},${details.counterexamplePath}`
  throw new Error(`${await fc.asyncDefaultReportMessage(details)}\nRun it again with ${replay}`, {
    cause: details.errorInstance,
  })
}

function shrinkingBriefly<Value>(holds: (value: Value) => Promise<void>): (value: Value) => Promise<void> {
  let endsAt = Number.POSITIVE_INFINITY
  return async (value) => {
    fc.pre(performance.now() < endsAt)
    try {
      await holds(value)
    } catch (error) {
      endsAt = Math.min(endsAt, performance.now() + shrinkingMilliseconds)
      throw error
    }
  }
}
