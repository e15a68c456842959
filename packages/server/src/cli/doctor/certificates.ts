import { X509Certificate } from 'node:crypto'
import { connect, getCACertificates } from 'node:tls'
import type { Config } from '../../config/options.ts'
import { openTls, TlsError } from '../../http/tls.ts'
import { diskFiles } from '../../platform/disk-files.ts'
import { createSystemClock } from '../../platform/system-clock.ts'
import type { Findings } from './finding.ts'
import { publicUrlOf } from './keystone.ts'
import type { Subject } from './subject.ts'

const DAY_MS = 86_400_000
/** Enough to get another one, in days. */
const NOTICE_DAYS = 30
/** For a handshake, in milliseconds. */
const TIME_LIMIT_MS = 5_000

export async function checkCertificates(findings: Findings, subject: Subject): Promise<void> {
  const { config, clock } = subject
  const now = clock.now()
  const publicUrl = config.notification.publicUrl ?? (await listedUrl(subject))
  checkOwn(findings, config, publicUrl, now)
  for (const [option, path] of furtherFiles(config)) checkFile(findings, option, path, now)
  if (publicUrl?.startsWith('https:')) await checkShown(findings, publicUrl, now)
  if (findings.all.length === 0) findings.ok('no certificates are configured')
}

/** Where the catalogue leads clients. */
async function listedUrl({ config, keystone }: Subject): Promise<string | null> {
  const answers = await keystone
  if (answers === null || !('catalogue' in answers)) return null
  return publicUrlOf(answers.catalogue.filter(({ type }) => type === config.keystone.serviceType))
}

/** That of the listeners. */
function checkOwn(findings: Findings, { tls }: Config, publicUrl: string | null, now: number): void {
  const { certFile, keyFile, caFile } = tls
  if (certFile === null || keyFile === null) return
  // What it warns of is told below.
  const reports = { warned: () => {}, renewed: () => {}, refused: () => {} }
  try {
    openTls({ certFile, keyFile, caFile }, { files: diskFiles, clock: createSystemClock(), reports }).close()
  } catch (error) {
    if (!(error instanceof TlsError)) throw error
    findings.error(error.message, 'correct cert_file and key_file of [ssl]')
    return
  }
  findings.ok(`the key ${keyFile} belongs to the certificate ${certFile}`)
  if (diskFiles.isReadableByAll(keyFile)) {
    findings.warning(`every user of this machine can read the private key ${keyFile}`, `chmod o= ${keyFile}`)
  }
  const chain = certificatesIn(diskFiles.readFile(certFile) ?? '')
  checkExpiry(findings, certFile, chain, now)
  checkChain(findings, certFile, chain)
  const host = publicUrl?.startsWith('https:') ? URL.parse(publicUrl)?.hostname : undefined
  const [first] = chain
  if (host !== undefined && first !== undefined && !isFor(first, host)) {
    findings.warning(
      `${certFile} is not for ${host}, where clients are led to`,
      'get one for that name, unless a proxy with another certificate is there',
    )
  }
}

function isFor(certificate: X509Certificate, host: string): boolean {
  const address = host.replace(/^\[(.+)\]$/, '$1')
  return certificate.checkHost(address) !== undefined || certificate.checkIP(address) !== undefined
}

/** Others that the configuration names, by the option. */
function furtherFiles({ tls, keystone, webhooks, mail }: Config): readonly (readonly [string, string])[] {
  const files = [
    ['[ssl] ca_file', tls.caFile],
    ['[keystone_authtoken] cafile', keystone.cafile],
    ['[keystone_authtoken] certfile', keystone.certfile],
    ['[notification] client_cert_file', webhooks.clientCertFile],
    ['[notification] ca_file', webhooks.caFile],
    ['[notification] smtp_ca_file', mail.caFile],
  ] as const
  return files.flatMap(([option, path]) => (path ? [[option, path] as const] : []))
}

function checkFile(findings: Findings, option: string, path: string, now: number): void {
  try {
    const text = diskFiles.readFile(path)
    const certificates = certificatesIn(text ?? '')
    if (text === null) findings.error(`${option}: there is no file ${path}`, 'correct the path')
    else if (certificates.length === 0)
      findings.error(`${option}: ${path} holds no certificate in PEM form`, 'correct the path')
    else checkExpiry(findings, path, certificates, now)
  } catch (error) {
    findings.error(`${option}: ${(error as Error).message}`, 'correct the path, or let the user of the service read it')
  }
}

/** @throws where one is damaged */
function certificatesIn(text: string): X509Certificate[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  return blocks.map((block) => new X509Certificate(block))
}

/** Of several, that of the first to end. */
function checkExpiry(findings: Findings, what: string, certificates: readonly X509Certificate[], now: number): void {
  const ends = certificates.map((certificate) => certificate.validToDate.getTime())
  judgeEnd(findings, what, Math.min(...ends), now)
}

function judgeEnd(findings: Findings, what: string, end: number, now: number): void {
  const days = Math.floor((end - now) / DAY_MS)
  const text = `${what} is good until ${new Date(end).toISOString().slice(0, 10)}`
  const renew = 'renew it; the service reads certificates again by itself'
  if (end <= now) findings.error(`${what} has expired, on ${new Date(end).toISOString().slice(0, 10)}`, renew)
  else if (days < NOTICE_DAYS) findings.warning(`${text}, for ${days} more days`, renew)
  else findings.ok(text)
}

/** Each must be signed by the next. */
function checkChain(findings: Findings, path: string, chain: readonly X509Certificate[]): void {
  const broken = chain.findIndex((certificate, index) => {
    const issuer = chain[index + 1]
    return issuer !== undefined && !(certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey))
  })
  if (broken >= 0) {
    findings.error(
      `${path}: certificate ${broken + 1} is not signed by the one that follows it`,
      'put the certificate of the server first, then each that has signed the one before',
    )
  }
}

/** As clients see it, who may meet a proxy there. */
async function checkShown(findings: Findings, url: string, now: number): Promise<void> {
  const { hostname, port } = new URL(url)
  const shown = await shownAt(hostname.replace(/^\[(.+)\]$/, '$1'), Number(port || 443))
  if ('silent' in shown) {
    findings.warning(`nobody speaks TLS with this machine at ${url}: ${shown.silent}`, 'see whether clients reach it')
    return
  }
  if (shown.objection === null) findings.ok(`what is shown at ${url} is a certificate that this machine trusts`)
  else {
    findings.error(
      `the certificate that is shown at ${url} is not trusted here: ${shown.objection}`,
      'show one for that name, with all that lead to its authority; where that is one of your own, clients need it',
    )
  }
  judgeEnd(findings, `the certificate at ${url}`, shown.end, now)
}

type Shown = { readonly silent: string } | { readonly objection: string | null; readonly end: number }

function shownAt(host: string, port: number): Promise<Shown> {
  return new Promise((resolve) => {
    const ca = [...new Set([...getCACertificates('default'), ...getCACertificates('system')])]
    // A server name is no address.
    const servername = /^[\d.]+$|:/.test(host) ? '' : host
    const socket = connect({ host, port, servername, ca, rejectUnauthorized: false, timeout: TIME_LIMIT_MS })
    const end = (shown: Shown) => {
      socket.destroy()
      resolve(shown)
    }
    socket.once('secureConnect', () => {
      const { valid_to: validTo } = socket.getPeerCertificate()
      const { authorizationError: objection } = socket
      end({ objection: objection ? String(objection) : null, end: Date.parse(validTo) })
    })
    socket.once('error', (error) => end({ silent: error.message }))
    socket.once('timeout', () => end({ silent: `no answer within ${TIME_LIMIT_MS / 1000} seconds` }))
  })
}
