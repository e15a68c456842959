/**
 * The import rule: the layers of docs/architecture.md as a table, so that imports point downwards only. `node
 * tools/check-imports.ts` prints every import that breaks it and then exits with 1.
 *
 * Imports are found by pattern, not by a parser: the formatter gives each of them the one form that is matched here.
 */
import { globSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'

interface Layer {
  readonly path: string
  /** What it may import besides itself. */
  readonly imports: readonly string[]
  /** What it may import types from: those leave no trace at run time. */
  readonly types: readonly string[]
}

/** The parts of the server, from the ground up. The first row that fits a file is its row. */
const layers: readonly Layer[] = [
  { path: 'model/', imports: [], types: [] },
  { path: 'metrics/', imports: [], types: [] },
  { path: 'platform/', imports: [], types: ['model/*'] },
  { path: 'storage/sqlite/', imports: ['storage/*', 'model/*'], types: ['platform/*'] },
  { path: 'storage/postgres/', imports: ['storage/*', 'model/*'], types: ['platform/*'] },
  { path: 'storage/pooled/', imports: ['storage/*', 'model/*'], types: ['platform/*'] },
  { path: 'storage/encrypted/', imports: ['storage/contract.ts'], types: [] },
  { path: 'storage/paced/', imports: ['storage/contract.ts'], types: ['platform/*'] },
  { path: 'storage/checksummed/', imports: ['storage/contract.ts'], types: [] },
  { path: 'storage/', imports: ['model/*', 'metrics/*'], types: ['platform/*'] },
  { path: 'core/', imports: ['model/*', 'metrics/*', 'storage/contract.ts'], types: ['platform/*'] },
  { path: 'delivery/', imports: ['model/*', 'metrics/*', 'core/**', 'storage/contract.ts'], types: ['platform/*'] },
  // A description knows nothing of the doors that it is made from, but what `types.ts` says of them.
  { path: 'wire/openapi/', imports: ['core/**', 'wire/errors.ts'], types: ['model/*'] },
  // As with `wire/openapi/`: what is written of the doors is made from what `types.ts` and `socket-door.ts` say of them.
  { path: 'wire/asyncapi/', imports: ['core/**', 'wire/errors.ts', 'wire/openapi/*'], types: ['model/*', 'wire/**'] },
  { path: 'wire/', imports: ['model/*', 'core/**'], types: [] },
  {
    path: 'websocket/',
    imports: ['model/*', 'wire/**', 'core/**', 'http/listener.ts', 'http/origins.ts'],
    types: ['platform/*', 'http/*'],
  },
  {
    path: 'http/',
    imports: ['model/*', 'metrics/*', 'wire/**', 'core/**', 'platform/watch-for-changes.ts'],
    types: ['platform/*'],
  },
  {
    path: 'tracing/',
    imports: [],
    types: ['core/**', 'http/*', 'websocket/*', 'delivery/*', 'storage/contract.ts'],
  },
  { path: 'auth/', imports: ['model/*', 'core/**', 'platform/watch-for-changes.ts'], types: ['platform/*'] },
  {
    path: 'console/',
    imports: ['http/*', 'wire/*', 'auth/keystone/keystone-connection.ts', 'core/rules/limits.ts'],
    types: [],
  },
  { path: 'config/', imports: ['model/*'], types: ['core/**', 'auth/**'] },
  { path: 'backup/', imports: ['storage/**', 'platform/*', 'auth/signing-key.ts'], types: [] },
  { path: 'access.ts', imports: ['auth/**', 'config/**', 'core/**'], types: ['model/*', 'platform/*'] },
  {
    path: 'application.ts',
    imports: [
      'auth/**',
      'config/**',
      'console/*',
      'core/**',
      'http/**',
      'websocket/**',
      'storage/encrypted/*',
      'storage/paced/*',
      'storage/checksummed/*',
      'tracing/*',
      'wire/**',
    ],
    types: ['access.ts', 'metrics/*', 'platform/*', 'storage/contract.ts'],
  },
  {
    path: 'notifications.ts',
    imports: ['delivery/**', 'core/**', 'config/**', 'platform/*', 'tracing/*', 'storage/contract.ts'],
    types: ['access.ts', 'metrics/*'],
  },
  {
    path: 'watching.ts',
    imports: ['metrics/*', 'core/**', 'platform/*'],
    types: ['config/**', 'storage/contract.ts', 'storage/engine-figures.ts'],
  },
  { path: 'open-store.ts', imports: ['storage/**', 'config/**'], types: ['platform/*'] },
  { path: 'measure-pools.ts', imports: [], types: ['metrics/*', 'storage/**'] },
  { path: 'pool-address.ts', imports: ['storage/**', 'config/**', 'platform/*'], types: [] },
  {
    path: 'probe-store.ts',
    imports: ['storage/**', 'config/**', 'platform/*', 'pool-address.ts'],
    types: ['core/**'],
  },
  {
    path: 'open-pools.ts',
    imports: ['storage/**', 'config/**', 'open-store.ts', 'pool-address.ts'],
    types: ['model/*'],
  },
  { path: 'service.ts', imports: ['**'], types: [] },
  { path: 'cli/', imports: ['**'], types: [] },
]

export interface SourceFile {
  /** From the root of the repository, with forward slashes. */
  readonly path: string
  readonly text: string
}

/** A sentence for every import that the rule forbids, beginning with its place. */
export function forbiddenImports(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    importsIn(file.text).flatMap((found) => {
      const objection = objectionTo(file.path, found)
      return objection === null ? [] : [`${file.path}:${found.line} imports ${found.specifier}: ${objection}`]
    }),
  )
}

interface Import {
  readonly specifier: string
  readonly typesOnly: boolean
  readonly line: number
}

function importsIn(text: string): Import[] {
  const fixed = /^(?:import|export)\b(?<type> type\b)?(?:[^'"`;=()]*\bfrom)? ?['"](?<specifier>[^'"]+)['"]/gm
  const late = /\bimport\(\s*['"](?<specifier>[^'"]+)['"]/g
  return [...text.matchAll(fixed), ...text.matchAll(late)].map(({ groups, index }) => ({
    specifier: groups?.['specifier'] ?? '',
    typesOnly: groups?.['type'] !== undefined,
    line: text.slice(0, index).split('\n').length,
  }))
}

function objectionTo(path: string, { specifier, typesOnly }: Import): string | null {
  const home = /^packages\/[^/]+\//.exec(path)?.[0]
  if (home === undefined || !specifier.startsWith('.')) return null
  const target = posix.join(posix.dirname(path), specifier)
  if (!target.startsWith(home)) return 'a package is imported by its name, through what it exports'
  const source = 'packages/server/src/'
  return path.startsWith(source)
    ? layerObjection(path.slice(source.length), target.slice(source.length), typesOnly)
    : null
}

function layerObjection(from: string, to: string, typesOnly: boolean): string | null {
  const layer = layers.find(({ path }) => from.startsWith(path))
  if (layer === undefined) return 'its importer has no row in tools/check-imports.ts yet'
  const allows = (patterns: readonly string[]) => patterns.some((pattern) => posix.matchesGlob(to, pattern))
  if (to.startsWith(layer.path) || allows(layer.imports)) return null
  if (!allows(layer.types)) return `${layer.path} may not know ${to}`
  return typesOnly ? null : `${layer.path} may know only the types of ${to}`
}

if (import.meta.main) {
  const paths = globSync('packages/*/{src,test}/**/*.ts').map((path) => path.replaceAll('\\', '/'))
  const problems = forbiddenImports(paths.map((path) => ({ path, text: readFileSync(path, 'utf8') })))
  for (const problem of problems) console.error(problem)
  process.exitCode = problems.length > 0 ? 1 : 0
}
