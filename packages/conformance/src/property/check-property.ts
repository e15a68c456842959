import type { TestContext } from 'node:test'
import fc from 'fast-check'

export interface PropertyOptions {
  /** How many random sequences are tried. */
  readonly sequences: number
  /** The most steps in a sequence. */
  readonly steps: number
}

/**
 * Runs the property and, where it fails, says how to run exactly that failure again. `ZAQAR_SEED` holds the seed and, after
 * a comma, the path to one sequence.
 */
export async function checkProperty<Values>(
  t: TestContext,
  property: fc.IAsyncProperty<Values>,
  { sequences }: PropertyOptions,
): Promise<void> {
  const [seed = `${Date.now() | 0}`, path] = process.env['ZAQAR_SEED']?.split(',') ?? []
  t.diagnostic(`seed ${seed}`)
  const details = await fc.check(property, {
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
