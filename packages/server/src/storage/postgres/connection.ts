import pg from 'pg'
import { StorageUnreached } from '../contract.ts'
import { type Host, readServerAddress, type ServerAddress } from './server-address.ts'

const CONNECT_TIMEOUT_MS = 5_000
/** Longer than the lock timeout of `run`, so that the server speaks first. */
const ANSWER_TIMEOUT_MS = 15_000

/** SQLSTATE of a server that does not let this client in, perhaps for want of TLS, or because of it. */
const NOT_LET_IN = '28000'

export interface Connection {
  readonly client: pg.Client
  /** False from the moment at which the connection is known to be lost. */
  readonly isOpen: boolean
  /** Whether a commit was reported although the standbys that have to confirm it did not. */
  readonly isUnconfirmed: boolean
  /** Cuts the connection without waiting for the server. */
  destroy(): void
}

/**
 * Connects to the first host that serves; where there are several, to the first that takes writes. `onLost` is called
 * at the end of a connection that there was.
 * @throws StorageUnreached
 */
export function connect(uri: string, onLost?: () => void): Promise<Connection> {
  return connectTo(readServerAddress(uri), { onLost })
}

interface ConnectOptions {
  readonly onLost?: (() => void) | undefined
  /** No further host is tried once it aborts. */
  readonly signal?: AbortSignal
}

/** @throws StorageUnreached */
export async function connectTo(
  { hosts, session }: ServerAddress,
  { onLost = () => undefined, signal }: ConnectOptions,
): Promise<Connection> {
  const reasons: string[] = []
  for (const host of hosts) {
    if (signal?.aborted) break
    try {
      return await connectToHost(host, session, { mustTakeWrites: hosts.length > 1, onLost })
    } catch (error) {
      const reason = reasonOf(error)
      reasons.push(hosts.length > 1 ? `${host.host}:${host.port}: ${reason}` : reason)
    }
  }
  throw new StorageUnreached(`PostgreSQL does not serve: ${reasons.join('; ')}`)
}

/** In what the library says when the server asks for a password and there is none. */
const NO_PASSWORD = /client password must be|empty password returned by client/

function reasonOf(error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error)
  return NO_PASSWORD.test(reason)
    ? 'the server asks for a password and the address has none: postgres://USER:PASSWORD@HOST/DATABASE'
    : reason
}

interface Terms {
  readonly mustTakeWrites: boolean
  readonly onLost: () => void
}

/** With TLS or without, as the address says, and as the server wants it where the address leaves that open. */
async function connectToHost(
  { host, port, tls }: Host,
  session: ServerAddress['session'],
  terms: Terms,
): Promise<Connection> {
  for (const [i, ssl] of tls.entries()) {
    try {
      return await open({ ...session, host, port, ssl }, terms)
    } catch (error) {
      if (i === tls.length - 1 || !mayDependOnTls(error)) throw error
    }
  }
  throw new Error('there is no way to the server')
}

function mayDependOnTls(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown }
  return code === NOT_LET_IN || message === 'The server does not support SSL connections'
}

async function open(config: pg.ClientConfig, { mustTakeWrites, onLost }: Terms): Promise<Connection> {
  const client = new pg.Client({
    ...config,
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: ANSWER_TIMEOUT_MS,
  })
  const state = { isConnected: false, isOpen: true, isUnconfirmed: false }
  const lose = () => {
    if (!state.isOpen) return
    state.isOpen = false
    if (state.isConnected) onLost()
  }
  client.on('error', lose)
  client.on('end', lose)
  // Told by the place in the server's code: the text is in the language of the server, and the SQLSTATE is that of any
  // warning.
  client.on('notice', ({ routine }) => {
    if (routine === 'SyncRepWaitForLSN') state.isUnconfirmed = true
  })
  const destroy = () => {
    lose()
    client.connection.stream.destroy()
  }
  try {
    await client.connect()
    if (mustTakeWrites) await refuseReadOnly(client)
  } catch (error) {
    destroy()
    throw error
  }
  state.isConnected = true
  return {
    client,
    get isOpen() {
      return state.isOpen
    },
    get isUnconfirmed() {
      return state.isUnconfirmed
    },
    destroy,
  }
}

async function refuseReadOnly(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ transaction_read_only: string }>('SHOW transaction_read_only')
  if (rows[0]?.transaction_read_only === 'on') throw new Error('it takes no writes')
}
