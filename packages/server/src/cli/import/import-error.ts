/** What the import is asked for cannot be done, or it was interrupted. */
export class ImportError extends Error {
  override readonly name = 'ImportError'
}
