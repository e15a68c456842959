import { ask } from './ask.ts'
import { type RunningServer, startService } from './service.ts'
import type { Stores } from './stores.ts'
import type { Target } from './target.ts'

/** What is measured. */
export interface Subject {
  readonly title: string
  /** A server with an empty queue of that name, to be stopped after use; one of ours with these flags in addition. */
  start(queue: string, flags?: readonly string[]): Promise<RunningServer>
}

/**
 * The service of this repository: a new process on an empty store each time, so that no run leaves traces for the next.
 */
export function localSubject(stores: Stores): Subject {
  return {
    title: `zaqar serve on ${stores.engine}`,
    async start(_, flags) {
      const store = await stores.create()
      const service = await startService(store.uri, flags)
      return {
        ...service,
        async stop() {
          await service.stop()
          await store.remove()
        },
      }
    },
  }
}

/** As above, on a store of somebody else's, which must not keep our queues. */
export function subjectOn(storage: string): Subject {
  return {
    title: `zaqar serve --storage ${withoutPassword(storage)}`,
    async start(queue, flags) {
      const service = await startService(storage, flags)
      return {
        ...service,
        async stop() {
          await deleteQueue(service.target, queue)
          await service.stop()
        },
      }
    },
  }
}

/** A server that runs already, wherever that is. */
export function remoteSubject(url: URL, headers: readonly string[]): Subject {
  if (url.protocol !== 'http:') throw new Error(`--url takes http:// addresses, not ${url.protocol}//`)
  const target: Target = {
    host: url.hostname,
    port: url.port === '' ? 80 : Number(url.port),
    pathPrefix: url.pathname.replace(/\/+$/, ''),
    headers,
    pid: null,
  }
  return {
    title: url.href,
    start: async (queue) => ({ target, startMilliseconds: 0, stop: () => deleteQueue(target, queue) }),
  }
}

async function deleteQueue(target: Target, queue: string): Promise<void> {
  const { status, body } = await ask(target, 'DELETE', `/v2/queues/${queue}`)
  if (status !== 204) throw new Error(`deleting ${queue}: ${status} ${body}`)
}

function withoutPassword(uri: string): string {
  return uri.replace(/^(\w+:\/\/[^:@/]*):[^@/]*@/, '$1@')
}
