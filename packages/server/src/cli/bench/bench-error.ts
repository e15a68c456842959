/** The bench could not go on. */
export class BenchError extends Error {
  override readonly name = 'BenchError'
}
