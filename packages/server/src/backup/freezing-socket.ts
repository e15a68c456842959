/**
 * Where a service that keeps its messages in a file tells another process of this machine that it may copy the file: a socket
 * beside it, for its user and root alone. Whoever connects has the file frozen until the connection ends; lines of JSON say so.
 */
import { chmodSync, rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import type { Freezer, Frozen } from '../storage/sqlite/freezer.ts'
import { BackupError } from './backup-error.ts'

/** What the service says: the file is frozen, it was until now, or it is not (any more). */
type Told = { readonly bytes: number } | { readonly thawed: true } | { readonly refused: string }

export function freezingSocketOf(file: string): string {
  return `${file}-backup`
}

/**
 * Nobody else has the file, so what is at that place is left over from a service that has ended.
 * @throws the error of the system, as for a path that is longer than a socket may have
 */
export async function listenForBackups(path: string, freezer: Freezer): Promise<{ close(): void }> {
  rmSync(path, { force: true })
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    serve(socket, freezer)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => resolve())
  })
  chmodSync(path, 0o600)
  return {
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

function serve(socket: Socket, freezer: Freezer): void {
  const tell = (told: Told) => void socket.write(`${JSON.stringify(told)}\n`)
  const refuse = (why: string) => {
    tell({ refused: why })
    socket.end()
  }
  socket.on('error', () => {})
  let frozen: Frozen
  try {
    frozen = freezer.freeze(refuse)
  } catch (error) {
    refuse((error as Error).message)
    return
  }
  socket.once('close', () => frozen.thaw())
  // Whatever the other side says: it has what it wants.
  socket.once('data', () => {
    if (frozen.thaw()) tell({ thawed: true })
    socket.end()
  })
  tell({ bytes: frozen.bytes })
}

/** A file that somebody else keeps as it is. */
export interface HeldFile {
  readonly bytes: number
  /** Aborted with a BackupError as soon as it may have changed. */
  readonly broken: AbortSignal
  /** Resolves when it need not be held any longer, and was until then. @throws BackupError */
  release(): Promise<void>
  /** It need not be held any longer. */
  abandon(): void
}

/**
 * Asks the service at that socket to freeze its file; null when none is there.
 * @throws BackupError when it cannot, or the error of the system
 */
export async function holdByService(path: string): Promise<HeldFile | null> {
  const socket = await connected(path)
  if (socket === null) return null
  const lines = createInterface(socket)[Symbol.asyncIterator]()
  const hear = async (): Promise<Exclude<Told, { refused: string }>> => {
    const { value } = await lines.next().catch(() => ({ value: undefined }))
    const told: Told = value === undefined ? { refused: 'it has ended' } : (JSON.parse(value) as Told)
    if (!('refused' in told)) return told
    socket.destroy()
    throw new BackupError(`The service does not hold its file for a backup: ${told.refused}`)
  }
  const frozen = await hear()
  const broken = new AbortController()
  const thawed = hear()
  thawed.catch((error: unknown) => broken.abort(error))
  return {
    bytes: 'bytes' in frozen ? frozen.bytes : 0,
    broken: broken.signal,
    async release() {
      socket.write('done\n')
      await thawed
      socket.destroy()
    },
    abandon: () => void socket.destroy(),
  }
}

function connected(path: string): Promise<Socket | null> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.off('error', failed)
      // Its end is told by what was not said.
      socket.on('error', () => {})
      resolve(socket)
    })
    const failed = (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(null)
      else reject(error)
    }
    socket.once('error', failed)
  })
}
