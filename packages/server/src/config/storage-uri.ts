import type { Kind } from './kinds.ts'
import { Secret } from './secret.ts'

/** SQLAlchemy's addresses name the driver as well: `postgresql+psycopg2://...`. */
const POSTGRES_SCHEME = /^postgres(ql)?(\+\w+)?$/

/** Where queues and messages are kept. */
export type StorageUri = SqliteUri | PostgresUri | ModuleUri

interface SqliteUri {
  readonly engine: 'sqlite'
  /** Path of the database file. */
  readonly file: string
}

interface PostgresUri {
  readonly engine: 'postgres'
  /** With the scheme `postgres`. May hold a password. */
  readonly uri: Secret
}

/** An engine of somebody else's. */
interface ModuleUri {
  readonly engine: 'module'
  /** A path, or the name of a package. */
  readonly module: string
  /** As a whole, for the engine to read. */
  readonly uri: Secret
}

const sqliteForm = 'sqlite:PATH, where PATH names a file'
const postgresForm = 'postgres://USER:PASSWORD@HOST:PORT/DATABASE'
const allowed = `sqlite:PATH, ${postgresForm} or module:PATH_OR_PACKAGE`

export const storageUri: Kind<StorageUri> = {
  allowed,
  show: withoutSecrets,
  parse(text) {
    const scheme = schemeOf(text)
    if (scheme === undefined) return { refused: `allowed is ${allowed}` }
    if (scheme === 'sqlite') return parseSqlite(text)
    if (scheme === 'module') return parseModule(text)
    if (POSTGRES_SCHEME.test(scheme)) return parsePostgres(text)
    return { refused: `this version cannot keep messages there, allowed is ${allowed}` }
  },
}

/** The address of a PostgreSQL, with the scheme `postgres`. */
export const postgresUri: Kind<Secret> = {
  allowed: postgresForm,
  show: withoutSecrets,
  parse(text) {
    const parsed = POSTGRES_SCHEME.test(schemeOf(text) ?? '')
      ? parsePostgres(text)
      : { refused: `allowed is ${postgresForm}` }
    return 'value' in parsed ? { value: parsed.value.uri } : parsed
  },
}

/** The address of a database server may hold a password, and what engines of others read may, too. */
function withoutSecrets(text: string): string {
  const parsed = POSTGRES_SCHEME.test(schemeOf(text) ?? '') ? parsePostgres(text) : null
  if (parsed !== null && 'value' in parsed) {
    const { host, pathname, searchParams } = new URL(parsed.value.uri.reveal())
    return `postgres://${searchParams.get('host') ?? host}${pathname}`
  }
  const head = /^(?:sqlite:\/\/|(?!sqlite:)[a-z][a-z0-9+.-]*:(?:\/\/)?)/i.exec(text)
  return head === null ? text : `${head[0]}...`
}

function schemeOf(text: string): string | undefined {
  return /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase()
}

/** `sqlite:PATH`, also with the empty host of a full URI: `sqlite:///absolute/path`. */
function parseSqlite(text: string): ReturnType<Kind<SqliteUri>['parse']> {
  const path = text.slice('sqlite:'.length)
  const file = path.startsWith('///') ? path.slice(2) : path
  if (file === '' || file.startsWith('//')) return { refused: `allowed is ${sqliteForm}` }
  if (/^\/?:memory:$/.test(file)) return { refused: `messages must outlive the process, allowed is ${sqliteForm}` }
  return { value: { engine: 'sqlite', file } }
}

function parsePostgres(text: string): ReturnType<Kind<PostgresUri>['parse']> {
  const uri = asUrl(`postgres:${text.slice(text.indexOf(':') + 1)}`)
  const address = URL.parse(uri)
  // What is not said would be guessed by the library: this machine, the user's own name. A socket is named as
  // `?host=/path`.
  const isComplete =
    address !== null && (address.host !== '' || address.searchParams.has('host')) && /^\/[^/]+$/.test(address.pathname)
  if (!isComplete && hasBareSecret(uri.slice('postgres://'.length))) {
    return { refused: 'in the name and the password / is written %2F, ? %3F, # %23, @ %40 and % %25' }
  }
  if (!isComplete) return { refused: 'host and database must be named: postgres://HOST/DATABASE' }
  if (!isDecodable(uri)) return { refused: 'a per cent sign is written %25' }
  return { value: { engine: 'postgres', uri: new Secret(uri) } }
}

/** Whether what ends the host stands before the `@` that ends the password. */
function hasBareSecret(rest: string): boolean {
  const end = rest.search(/[/?#]/)
  return end >= 0 && rest.includes('@', end)
}

function isDecodable(uri: string): boolean {
  try {
    decodeURIComponent(uri)
    return true
  } catch {
    return false
  }
}

/**
 * What libpq takes and is no URL, as one that means the same: `postgres://a:1,b:2/database` as `?host=a,b&port=1,2`;
 * `postgres://user@/database?host=/path` with some host, which the parameter outweighs.
 */
function asUrl(uri: string): string {
  const [, who, hostless] = /^(postgres:\/\/[^@/?#]+@)((?::\d*)?\/[^?#]*\?(?:.*&)?host=.*)$/.exec(uri) ?? []
  if (who !== undefined) return `${who}localhost${hostless}`
  const [, start = '', list, rest = ''] = /^(postgres:\/\/(?:[^@/?#]*@)?)([^@/?#]*)(.*)/.exec(uri) ?? []
  if (!list?.includes(',')) return uri
  const hosts = list.split(',')
  const named = (part: 1 | 2) => hosts.map((host) => /^(\[.*\]|[^:]*)(?::(\d*))?$/.exec(host)?.[part] ?? '').join()
  return `${start}${hosts[0]}${rest}${rest.includes('?') ? '&' : '?'}host=${named(1)}&port=${named(2)}`
}

function parseModule(text: string): ReturnType<Kind<ModuleUri>['parse']> {
  const [, module] = /^module:([^?]+)/i.exec(text) ?? []
  if (module === undefined)
    return { refused: 'the path or the package of the engine is missing: module:PATH_OR_PACKAGE' }
  return { value: { engine: 'module', module, uri: new Secret(text) } }
}
