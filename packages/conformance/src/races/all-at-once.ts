import type { Storage } from 'zaqar/storage'

/** Runs `count` callers at once, dealt out to the clients. */
export function allAtOnce<Result>(
  count: number,
  clients: readonly Storage[],
  call: (client: Storage, caller: number) => Promise<Result>,
): Promise<Result[]> {
  return Promise.all(
    Array.from({ length: count }, (_, caller) => call(clients[caller % clients.length] as Storage, caller)),
  )
}
