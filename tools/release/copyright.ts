import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { OutputChunk } from 'rolldown'

interface Manifest {
  readonly name?: string
  readonly version: string
  readonly license: string
}

/** The licences of the packages whose code is in the chunks, and of that in the folder `node`, as one text. */
export function copyrightOf(chunks: readonly OutputChunk[], node: string): string {
  const files = chunks.flatMap(({ moduleIds }) => moduleIds).filter((id) => id.includes('/node_modules/'))
  const packages = new Set(files.map(packageOf).sort())
  return [...packages, node].map(licenceOf).join(`\n${'-'.repeat(80)}\n\n`)
}

/** The folder of the package that has the file. Manifests without a name, further inside, only say what kind of code it is. */
function packageOf(file: string): string {
  let folder = dirname(file)
  while (manifestOf(folder)?.name === undefined) folder = dirname(folder)
  return folder
}

function licenceOf(folder: string): string {
  const { name, version, license } = manifestOf(folder) as Manifest
  // Some have it at the end of their README alone.
  const file = globSync('{LICENSE,license}{,.md}', { cwd: folder })[0] ?? 'README.md'
  return `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`
}

function manifestOf(folder: string): Manifest | null {
  const path = join(folder, 'package.json')
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Manifest) : null
}
