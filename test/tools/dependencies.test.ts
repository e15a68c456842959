import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '../..')
const documented = readFileSync(join(root, 'docs/dependencies.md'), 'utf8')

type Manifest = Partial<Record<'dependencies' | 'devDependencies' | 'optionalDependencies', Record<string, string>>>

for (const path of globSync('{package.json,packages/*/package.json}', { cwd: root })) {
  test(`docs/dependencies.md gives the reason for every dependency of ${path}`, () => {
    const manifest = JSON.parse(readFileSync(join(root, path), 'utf8')) as Manifest
    const { dependencies, devDependencies, optionalDependencies } = manifest
    const names = Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies })
    const ours = ['zaqar', 'zaqar-client', 'zaqar-conformance']
    const missing = names.filter((name) => !ours.includes(name) && !documented.includes(`\`${name}\``))
    assert.deepEqual(missing, [])
  })

  test(`the versions in ${path} are exact, and those of Node are the documented ones`, () => {
    const manifest = JSON.parse(readFileSync(join(root, path), 'utf8')) as Manifest
    const { dependencies, devDependencies, optionalDependencies } = manifest
    for (const version of Object.values({ ...dependencies, ...devDependencies }))
      assert.match(version, /^\d+\.\d+\.\d+$/)
    for (const [name, version] of Object.entries(optionalDependencies ?? {})) {
      assert.match(documented, new RegExp(`\`${name}\`.*\\| ${version.replaceAll('.', '\\.')} \\|`))
    }
  })
}
