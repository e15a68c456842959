/** What was asked for is not there, or there was nothing to take. */
export class NotThere extends Error {
  override readonly name = 'NotThere'
}
