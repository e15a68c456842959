import { type Kind, lines } from './kinds.ts'

/** Stores that may be registered as pools. */
export type AllowedStores =
  /** Of one port, or of any. `host`: in lower case; `*`: all; `*.example.org`: all that end so. */
  | { readonly engine: 'postgres'; readonly host: string; readonly port: number | null }
  /** One file, or what lies in a folder, at any depth. */
  | { readonly engine: 'sqlite'; readonly path: string; readonly isFolder: boolean }

const allowed =
  'postgres://HOST or postgres://HOST:PORT, where HOST may begin with *, sqlite:FILE or sqlite:FOLDER/* in each line'

export const allowedStores: Kind<readonly AllowedStores[]> = {
  allowed,
  parse(text) {
    const parsed = lines.parse(text)
    const stores = 'value' in parsed ? parsed.value.map(read) : []
    return stores.includes(null)
      ? { refused: `allowed is ${allowed}` }
      : { value: stores.filter((one) => one !== null) }
  },
}

/** The stores that are allowed where nothing is said. */
export function usualStores(dataDir: string): readonly AllowedStores[] {
  return [
    { engine: 'postgres', host: '*', port: null },
    { engine: 'sqlite', path: dataDir, isFolder: true },
  ]
}

function read(line: string): AllowedStores | null {
  const [, path, all] = /^sqlite:(.*?)(\/\*)?$/.exec(line) ?? []
  if (path !== undefined) return path === '' && all === undefined ? null : sqlite(path, all !== undefined)
  const [, host, port] = /^postgres(?:ql)?:\/\/(\[[\da-f:]+\]|\*|(?:\*\.)?[\w.-]+)(?::(\d{1,5}))?\/?$/i.exec(line) ?? []
  if (host === undefined) return null
  return { engine: 'postgres', host: host.toLowerCase().replace(/[[\]]/g, ''), port: port ? Number(port) : null }
}

/** `sqlite:/*` is the whole disk. */
function sqlite(path: string, isFolder: boolean): AllowedStores {
  return { engine: 'sqlite', path: path === '' ? '/' : path, isFolder }
}
