import { TlsError } from '../http/tls.ts'
import { StorageUnavailable } from '../storage/contract.ts'
import { WorkerDidNotStart } from './supervisor.ts'

/** Why the service did not start: a sentence, or the whole trace of an error that nobody expected. */
export function describeStartError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code, syscall, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number }
  if (syscall === 'listen') {
    const place = `${address} port ${port}`
    if (code === 'EADDRINUSE') return `${place} is in use by another program; stop it or choose another --port`
    if (code === 'EADDRNOTAVAIL') return `${address} is no address of this machine; choose another --bind`
    if (code === 'EACCES') return `${place} may not be used without more rights; choose another --port`
  }
  const isForeseen = [StorageUnavailable, TlsError, WorkerDidNotStart].some((kind) => error instanceof kind)
  return isForeseen || code !== undefined ? error.message : (error.stack ?? error.message)
}
