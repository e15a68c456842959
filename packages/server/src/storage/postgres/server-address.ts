import { readFileSync } from 'node:fs'
import { type ConnectionOptions, getCACertificates } from 'node:tls'
import type { ClientConfig } from 'pg'
import { StorageUnavailable } from '../contract.ts'

export interface Host {
  /** A name, an address, or the folder of a socket. */
  readonly host: string
  readonly port: number
  /** What to try in turn: no TLS, or TLS on these terms. */
  readonly tls: readonly (false | ConnectionOptions)[]
}

export interface ServerAddress {
  /** To be tried in turn. */
  readonly hosts: readonly Host[]
  /** Who comes, to which database, and how the session is set. */
  readonly session: Pick<ClientConfig, 'user' | 'password' | 'database' | 'application_name' | 'options'>
}

const DEFAULT_PORT = '5432'
const parameters = ['host', 'port', 'user', 'password', 'application_name', 'options', 'target_session_attrs'] as const
const tlsParameters = ['sslmode', 'sslrootcert', 'sslcert', 'sslkey'] as const
/** What a service that writes can ask for. With several hosts one that takes writes is looked for in any case. */
const WRITABLE = ['any', 'read-write', 'primary']

/**
 * Reads `postgres://user:password@host:port/database?...`; several hosts are `?host=a,b&port=1,2`. Parameters mean what
 * they mean to libpq, as <https://www.postgresql.org/docs/current/libpq-connect.html> has them.
 * @throws StorageUnavailable when it asks for what cannot be had.
 */
export function readServerAddress(uri: string): ServerAddress {
  const address = new URL(uri)
  const given = new Map(address.searchParams)
  const unknown = [...given.keys()].find((name) => ![...parameters, ...tlsParameters].some((known) => known === name))
  if (unknown !== undefined) refuse(`there is no parameter ${unknown} in addresses of PostgreSQL`)
  const attributes = given.get('target_session_attrs') ?? 'read-write'
  if (!WRITABLE.includes(attributes)) refuse(`target_session_attrs=${attributes}, but the service has to write`)

  const tls = tlsChoices(given)
  return {
    // PostgreSQL offers no TLS on a socket of this machine.
    hosts: hostsNamedIn(uri).map(({ host, port }) => ({ host, port, tls: host.startsWith('/') ? [false] : tls })),
    session: {
      user: given.get('user') ?? decodeURIComponent(address.username),
      password: given.get('password') ?? decodeURIComponent(address.password),
      database: decodeURIComponent(address.pathname.slice(1)),
      application_name: given.get('application_name') ?? 'zaqar',
      options: given.get('options') ?? '',
    },
  }
}

/**
 * Those to be tried in turn.
 * @throws StorageUnavailable
 */
export function hostsNamedIn(uri: string): Pick<Host, 'host' | 'port'>[] {
  const address = new URL(uri)
  const given = new Map(address.searchParams)
  const names = (given.get('host') ?? decodeURIComponent(address.hostname)).split(',')
  const ports = (given.get('port') ?? address.port).split(',')
  if (ports.length !== 1 && ports.length !== names.length) refuse('there are not as many ports as hosts')
  return names.map((name, i) => ({
    host: name.replace(/^\[(.+)\]$/, '$1'),
    port: Number((ports.length === 1 ? ports[0] : ports[i]) || DEFAULT_PORT),
  }))
}

/** What is read from the disk to connect. */
export function filesNamedIn(uri: string): string[] {
  const given = new Map(new URL(uri).searchParams)
  const authorities = given.get('sslrootcert')
  return [authorities === 'system' ? undefined : authorities, given.get('sslcert'), given.get('sslkey')].filter(
    (path) => path !== undefined,
  )
}

/** With TLS or without, in the order in which libpq would try. */
function tlsChoices(given: ReadonlyMap<string, string>): (false | ConnectionOptions)[] {
  const mode = given.get('sslmode') ?? 'prefer'
  const ca = authorities(given.get('sslrootcert'))
  const own = { ...fileAs('cert', given.get('sslcert')), ...fileAs('key', given.get('sslkey')) }
  const unverified = { ...own, rejectUnauthorized: false }
  const ofAuthority = { ...own, ca, checkServerIdentity: () => undefined }
  switch (mode) {
    case 'disable':
      return [false]
    case 'allow':
      return [false, unverified]
    case 'prefer':
      return [unverified, false]
    case 'require':
      return [ca === undefined ? unverified : ofAuthority]
    case 'verify-ca':
      // Authorities that everybody trusts vouch for names only, so without a look at the name they vouch for nothing.
      if (given.get('sslrootcert') === undefined) refuse('sslmode=verify-ca needs sslrootcert=FILE')
      return [ofAuthority]
    case 'verify-full':
      return [{ ...own, ca }]
    default:
      return refuse(`there is no sslmode ${mode}`)
  }
}

/** Undefined for those that Node trusts by itself. */
function authorities(file: string | undefined): string[] | undefined {
  if (file === undefined) return undefined
  return file === 'system' ? getCACertificates('system') : [read(file)]
}

function fileAs<Name extends string>(name: Name, file: string | undefined): { [name in Name]?: string } {
  return file === undefined ? {} : ({ [name]: read(file) } as { [name in Name]: string })
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error))
  }
}

function refuse(reason: string): never {
  throw new StorageUnavailable(`PostgreSQL cannot be reached: ${reason}`)
}
