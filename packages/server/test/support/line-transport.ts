/**
 * A second transport, which knows nothing of HTTP: lines over TCP. The first line of a connection says who calls, as
 * JSON of what is shown; each further line is an action, a queue, and for some actions one thing more. Every line is
 * answered by one, as JSON.
 */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { ZaqarError } from '../../src/core/errors.ts'
import type { Caller, Execute, Operation } from '../../src/core/execute.ts'
import type { Asker, Authenticate, Shown } from '../../src/core/identity.ts'
import { createClaim } from '../../src/core/operations/claims/create-claim.ts'
import { deleteMessage } from '../../src/core/operations/messages/delete-message.ts'
import { listMessages } from '../../src/core/operations/messages/list-messages.ts'
import { postMessages } from '../../src/core/operations/messages/post-messages.ts'
import { createQueue } from '../../src/core/operations/queues/create-queue.ts'
import { NO_PROJECT } from '../../src/core/rules/projects.ts'

type Run = <Input, Output>(operation: Operation<Input, Output>, input: Input) => Promise<Output>

/** An action: what it is for, in the terms of signatures, and what it does. */
interface Action {
  readonly method: string
  path(queue: string, more: string): string
  run(run: Run, queue: string, more: string): Promise<unknown>
}

export const actions: Readonly<Record<string, Action>> = {
  create: {
    method: 'PUT',
    path: (queue) => `/v2/queues/${queue}`,
    run: (run, queue) => run(createQueue, { queue, metadata: {} }),
  },
  post: {
    method: 'POST',
    path: (queue) => `/v2/queues/${queue}/messages`,
    run: (run, queue, body) => run(postMessages, { queue, messages: [{ body }], bytes: Buffer.byteLength(body) }),
  },
  list: {
    method: 'GET',
    path: (queue) => `/v2/queues/${queue}/messages`,
    async run(run, queue, wait) {
      const options = { echo: true, includeClaimed: false, includeDelayed: 'never' } as const
      const { messages } = await run(listMessages, { queue, ...options, waitSeconds: Number(wait) })
      return messages.map(({ body }) => body)
    },
  },
  claim: {
    method: 'POST',
    path: (queue) => `/v2/queues/${queue}/claims`,
    async run(run, queue, wait) {
      const { found } = await run(createClaim, { queue, waitSeconds: Number(wait) })
      return found?.claim.messages.map(({ body }) => body) ?? null
    },
  },
  delete: {
    method: 'DELETE',
    path: (queue, id) => `/v2/queues/${queue}/messages/${id}`,
    run: (run, queue, id) => run(deleteMessage, { queue, id }),
  },
}

export interface LineTransport {
  readonly port: number
  close(): Promise<void>
}

export async function listenForLines(authenticate: Authenticate, execute: Execute): Promise<LineTransport> {
  const server = createServer((socket) => void serve(socket, authenticate, execute))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

async function serve(socket: Socket, authenticate: Authenticate, execute: Execute): Promise<void> {
  const departure = new AbortController()
  const asker = { signal: () => departure.signal, clientAddress: () => socket.remoteAddress ?? null }
  socket.on('close', () => departure.abort())
  let caller: Caller | null = null
  for await (const line of createInterface({ input: socket })) {
    let answer: unknown
    if (caller === null) {
      const identity = await authenticate(JSON.parse(line) as Shown, asker)
      if ('unauthenticated' in identity) answer = { error: identity.unauthenticated }
      else caller = { ...identity, project: identity.project ?? NO_PROJECT, clientId: 'lines' }
    } else answer = await act(line.split(' '), caller, asker, execute)
    socket.write(`${JSON.stringify(answer ?? {})}\n`)
  }
}

async function act([name = '', queue = '', more = '']: string[], caller: Caller, asker: Asker, execute: Execute) {
  const { method, path, run } = actions[name] as Action
  const call = { ...asker, id: name, resource: { method, path: path(queue, more) } }
  try {
    return { done: await run((operation, input) => execute(operation, () => input, caller, call), queue, more) }
  } catch (error) {
    return { error: error instanceof ZaqarError ? error.code : 'internal' }
  }
}
