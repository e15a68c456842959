import type { Kind } from './kinds.ts'

/** Where queues and messages are kept. */
export interface StorageUri {
  readonly engine: 'sqlite'
  /** Path of the database file. */
  readonly file: string
}

const allowed = 'sqlite:PATH, where PATH names a file'

/** `sqlite:PATH`, also with the empty host of a full URI: `sqlite:///absolute/path`. */
export const storageUri: Kind<StorageUri> = {
  allowed,
  // The address of a database server may hold a password.
  show: (text) => (text.includes('://') ? `${text.slice(0, text.indexOf('://'))}://...` : text),
  parse(text) {
    const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase()
    if (scheme === undefined) return { refused: `allowed is ${allowed}` }
    if (scheme !== 'sqlite') return { refused: `this version cannot keep messages there, allowed is ${allowed}` }
    const path = text.slice('sqlite:'.length)
    const file = path.startsWith('///') ? path.slice(2) : path
    if (file === '' || file.startsWith('//')) return { refused: `allowed is ${allowed}` }
    if (/^\/?:memory:$/.test(file)) return { refused: `messages must outlive the process, allowed is ${allowed}` }
    return { value: { engine: 'sqlite', file } }
  },
}
