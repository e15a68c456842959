import pg from 'pg'
import { toFailure } from './failures.ts'

const CONNECT_TIMEOUT_MS = 5_000
/** Longer than the lock timeout of `run`, so that the server speaks first. */
const ANSWER_TIMEOUT_MS = 15_000

export interface Connection {
  readonly client: pg.Client
  /** False from the moment at which the connection is known to be lost. */
  readonly isOpen: boolean
  /** Cuts the connection without waiting for the server. */
  destroy(): void
}

/** @throws StorageUnavailable */
export async function connect(uri: string, onLost?: () => void): Promise<Connection> {
  const client = new pg.Client({
    connectionString: uri,
    application_name: 'zaqar',
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: ANSWER_TIMEOUT_MS,
  })
  let isOpen = true
  const lose = () => {
    if (!isOpen) return
    isOpen = false
    onLost?.()
  }
  client.on('error', lose)
  client.on('end', lose)
  const connection = {
    client,
    get isOpen() {
      return isOpen
    },
    destroy() {
      lose()
      client.connection.stream.destroy()
    },
  }
  try {
    await client.connect()
  } catch (error) {
    connection.destroy()
    throw toFailure(error)
  }
  return connection
}
