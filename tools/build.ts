/**
 * Builds the packages: each `packages/NAME/dist` becomes a folder for `npm pack` or `npm publish`, with JavaScript,
 * type declarations and a manifest that leads to those. The manifest of the sources leads to the sources, so that
 * nothing needs to be built in order to run.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

process.chdir(join(import.meta.dirname, '..'))
const packages = ['packages/server', 'packages/conformance', 'packages/client']

for (const folder of packages) rmSync(`${folder}/dist`, { recursive: true, force: true })
const projects = packages.map((folder) => `${folder}/tsconfig.build.json`)
const tsc = ['node_modules/typescript/bin/tsc', '--build', ...projects]
if (spawnSync(process.execPath, tsc, { stdio: 'inherit' }).status !== 0) process.exit(1)

for (const folder of packages) {
  copyWhatTscLeaves(folder)
  writeFileSync(`${folder}/dist/package.json`, publishedManifest(readFileSync(`${folder}/package.json`, 'utf8')))
}

/** SQL and other files that the code reads at run time, the doors in `bin`, and the texts for readers. */
function copyWhatTscLeaves(folder: string): void {
  const isAsset = (path: string) => statSync(path).isDirectory() || !path.endsWith('.ts')
  cpSync(`${folder}/src`, `${folder}/dist/src`, { recursive: true, filter: isAsset })
  if (existsSync(`${folder}/bin`)) cpSync(`${folder}/bin`, `${folder}/dist/bin`, { recursive: true })
  for (const text of [`${folder}/README.md`, 'LICENSE']) {
    if (existsSync(text)) cpSync(text, `${folder}/dist/${text.slice(text.lastIndexOf('/') + 1)}`)
  }
}

function publishedManifest(manifest: string): string {
  const { private: _onlyTheSources, devDependencies: _onlyForTests, ...published } = JSON.parse(manifest)
  return `${JSON.stringify(published, null, 2).replaceAll(/("\.\/src\/.*)\.ts"/g, '$1.js"')}\n`
}
