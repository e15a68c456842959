/** What is said of the service and of who asks is not enough to ask it, or contradicts itself. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError'
}
