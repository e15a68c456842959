/** What the transport counts of its connections, in this process. */
export class SocketTally {
  /** That are open now. */
  connections = 0
  /** That came over them so far. */
  requests = 0
  /** Connections that were closed because they did not take what was pushed to them, so far. */
  dropped = 0
}
