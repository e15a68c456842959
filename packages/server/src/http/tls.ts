import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import type { SecureContextOptions } from 'node:tls'
import type { Clock } from '../platform/clock.ts'
import { watchForChanges } from '../platform/watch-for-changes.ts'

/** Paths of PEM files. */
export interface TlsSettings {
  /** The certificate, then those that lead from it to its authority. */
  readonly certFile: string
  readonly keyFile: string
  /** Authorities of clients, which then need a certificate of one of them; null: clients need none. */
  readonly caFile: string | null
}

/** The disk, as far as TLS needs it. */
export interface TlsFiles {
  /** Null when there is no such file. */
  readFile(path: string): string | null
  /** Changes whenever the content of a file does; null when there is no such file. */
  stamp(path: string): string | null
  isReadableByAll(path: string): boolean
}

/** Told of what an operator should know. */
export interface TlsReports {
  warned(warning: string): void
  renewed(certificate: { subject: string; validUntil: string }): void
  /** The certificate in force stays. */
  refused(problem: string): void
}

/** What listeners show and prove, read again when its files change. */
export interface Tls {
  /** What is in force. */
  readonly context: SecureContextOptions
  readonly asksClients: boolean
  /** `listener` is told what is in force from then on; connections that are open stay as they are. */
  onRenewed(listener: (context: SecureContextOptions) => void): void
  /** Stops looking for changes. */
  close(): void
}

/** Certificate and key cannot be used. */
export class TlsError extends Error {
  override readonly name = 'TlsError'
}

/** @throws TlsError */
export function openTls(
  settings: TlsSettings,
  { files, clock, reports }: { readonly files: TlsFiles; readonly clock: Clock; readonly reports: TlsReports },
): Tls {
  const paths = [settings.certFile, settings.keyFile, ...(settings.caFile === null ? [] : [settings.caFile])]
  const stamp = () => JSON.stringify(paths.map((path) => files.stamp(path)))
  const listeners: ((context: SecureContextOptions) => void)[] = []
  const warn = (certificate: X509Certificate): void => {
    if (files.isReadableByAll(settings.keyFile)) {
      reports.warned(`every user of this machine can read the private key ${settings.keyFile}; chmod o= it`)
    }
    const now = clock.now()
    if (now >= certificate.validToDate.getTime() || now < certificate.validFromDate.getTime()) {
      const { validFrom, validTo } = certificate
      reports.warned(`the certificate ${settings.certFile} is valid from ${validFrom} to ${validTo}, not now`)
    }
  }

  let since: string
  let inForce: ReturnType<typeof readPair>
  try {
    since = stamp()
    inForce = readPair(settings, files)
  } catch (error) {
    throw error instanceof TlsError ? error : new TlsError((error as Error).message, { cause: error })
  }
  warn(inForce.certificate)
  const changed = (): void => {
    inForce = readPair(settings, files)
    for (const listener of listeners) listener(inForce.context)
    const { subject, validTo } = inForce.certificate
    reports.renewed({ subject, validUntil: validTo })
    warn(inForce.certificate)
  }
  const failed = (error: unknown): void => reports.refused((error as Error).message)
  const watching = watchForChanges({ clock, stamp, since, changed, failed })
  return {
    get context() {
      return inForce.context
    },
    asksClients: settings.caFile !== null,
    onRenewed: (listener) => void listeners.push(listener),
    close: () => watching.cancel(),
  }
}

/** @throws TlsError, or the error of a file that cannot be read */
function readPair(
  { certFile, keyFile, caFile }: TlsSettings,
  files: TlsFiles,
): { context: SecureContextOptions; certificate: X509Certificate } {
  const cert = contentOf(certFile, files)
  const key = contentOf(keyFile, files)
  const ca = caFile === null ? null : contentOf(caFile, files)
  const certificate = parse(certFile, 'certificate', () => new X509Certificate(cert))
  if (ca !== null && caFile !== null) parse(caFile, 'certificate', () => new X509Certificate(ca))
  const privateKey = parse(keyFile, 'private key without a passphrase', (): KeyObject => createPrivateKey(key))
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new TlsError(`the private key ${keyFile} does not belong to the certificate ${certFile}`)
  }
  return { certificate, context: { cert, key, ...(ca !== null && { ca }), minVersion: 'TLSv1.2' } }
}

function contentOf(path: string, files: TlsFiles): string {
  const content = files.readFile(path)
  if (content === null) throw new TlsError(`[ssl]: there is no file ${path}`)
  return content
}

function parse<T>(path: string, what: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new TlsError(`${path} holds no ${what} in PEM form`, { cause: error })
  }
}
