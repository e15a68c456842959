import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A program in a folder of its own, in which `zaqar-client` is installed. */
export interface Program {
  readonly folder: string
  readonly file: string
  remove(): void
}

/** @param texts pieces of TypeScript, which become one module; @param url where the service of the page is */
export function programOf(texts: readonly string[], url: string): Program {
  const folder = mkdtempSync(join(tmpdir(), 'zaqar-tour-'))
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(join(import.meta.dirname, '../../packages/client'), join(folder, 'node_modules/zaqar-client'))
  const file = join(folder, 'program.mts')
  writeFileSync(file, texts.join('\n').replaceAll('http://127.0.0.1:8888', url))
  return { folder, file, remove: () => rmSync(folder, { recursive: true }) }
}
