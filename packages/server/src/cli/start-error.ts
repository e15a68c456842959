import { TlsError } from '../http/tls.ts'
import { StorageUnavailable } from '../storage/contract.ts'
import { WorkerDidNotStart } from './supervisor.ts'

/** What the system says of a file or folder, in words of people. */
const FILE_FAULTS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  ENOTDIR: 'a part of this path is no folder',
  EISDIR: 'it is a folder',
  EEXIST: 'it is there already',
  EACCES: 'this user may not do that',
  EPERM: 'this user may not do that',
  EROFS: 'nothing can be written in this file system',
  ENOSPC: 'there is no room on the disk',
}

/** Why the service did not start: a sentence, or the whole trace of an error that nobody expected. */
export function describeStartError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const {
    code = '',
    syscall,
    path,
    address,
    port,
  } = error as NodeJS.ErrnoException & {
    address?: string
    port?: number
  }
  if (syscall === 'listen') {
    const place = `${address} port ${port}`
    if (code === 'EADDRINUSE') return `${place} is in use by another program; stop it or choose another --port`
    if (code === 'EADDRNOTAVAIL') return `${address} is no address of this machine; choose another --bind`
    if (code === 'EACCES') return `${place} may not be used without more rights; choose another --port`
  }
  const fault = FILE_FAULTS[code]
  if (path !== undefined && fault !== undefined) return `${path}: ${fault}`
  const isForeseen = [StorageUnavailable, TlsError, WorkerDidNotStart].some((kind) => error instanceof kind)
  return isForeseen || code !== '' ? error.message : (error.stack ?? error.message)
}
