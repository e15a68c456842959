import { readdirSync, readFileSync } from 'node:fs'
import { extname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

/** A file of the console. */
interface ConsoleFile {
  readonly headers: Readonly<Record<string, string>>
  readonly bytes: Buffer
  /** Made when it is first asked for. */
  gzipped(): Buffer
}

/** By path below `/console/`; empty where the console was not built. */
export type ConsoleFiles = ReadonlyMap<string, ConsoleFile>

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** Nothing from elsewhere, nothing inside the page, and no page around it. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const SAFETY = {
  'Content-Security-Policy': POLICY,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
}

/** What Vite has named by its content never changes. */
const FOREVER = 'public, max-age=31536000, immutable'

/** Reads what the build of the console has left beside this file. */
export function readConsoleFiles(): ConsoleFiles {
  const folder = fileURLToPath(new URL('./files', import.meta.url))
  return new Map(namesIn(folder).map((name) => [pathOf(name), consoleFile(name, readFileSync(join(folder, name)))]))
}

function namesIn(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
    return entries
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => relative(folder, join(parentPath, name)))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

function pathOf(name: string): string {
  return name === 'index.html' ? '' : name.split(sep).join('/')
}

function consoleFile(name: string, bytes: Buffer): ConsoleFile {
  let compressed: Buffer | undefined
  return {
    headers: {
      'Content-Type': TYPES[extname(name)] ?? 'application/octet-stream',
      'Cache-Control': name.startsWith('assets') ? FOREVER : 'no-cache',
      Vary: 'Accept-Encoding',
      ...SAFETY,
    },
    bytes,
    gzipped() {
      compressed ??= gzipSync(bytes, { level: 9 })
      return compressed
    },
  }
}
