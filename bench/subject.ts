import { ask } from './ask.ts'
import { type RunningServer, startService, temporaryFolder } from './service.ts'
import type { Target } from './target.ts'

/** What is measured. */
export interface Subject {
  readonly title: string
  /** A server with an empty queue of that name, to be stopped after use. */
  start(queue: string): Promise<RunningServer>
}

/** The service of this repository: a new process with an empty data folder each time, so that no run leaves traces for the next. */
export function localSubject(storage: string | null): Subject {
  return {
    title: `zaqar serve${storage === null ? '' : ` --storage ${storage}`}`,
    async start(queue) {
      const folder = temporaryFolder()
      const service = await startService({ dataDir: folder.path, storage })
      return {
        ...service,
        async stop() {
          // A storage of somebody else's must not keep our queues; a folder of our own goes as a whole.
          if (storage !== null) await deleteQueue(service.target, queue)
          await service.stop()
          folder.remove()
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
