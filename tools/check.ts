/** Everything that can be said about the code without running it. */
import { spawnSync } from 'node:child_process'

const knip = 'node_modules/knip/bin/knip.js'

const passed = [
  succeeds('node_modules/typescript/bin/tsc'),
  succeeds('node_modules/typescript/bin/tsc', '--project', 'packages/console'),
  succeeds('node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings'),
  succeeds('tools/check-imports.ts'),
  succeeds('tools/check-expressions.ts'),
  succeeds('tools/check-moves.ts'),
  succeeds('tools/check-texts.ts'),
  canRunKnip() ? succeeds(knip) : skipKnip(),
]
process.exitCode = passed.every(Boolean) ? 0 : 1

function succeeds(...command: string[]): boolean {
  return spawnSync(process.execPath, command, { stdio: 'inherit' }).status === 0
}

/**
 * On a Node below 20.19 npm leaves the parser of knip out: it looks at the Node it runs on, not at the one it brings.
 */
function canRunKnip(): boolean {
  return spawnSync(process.execPath, [knip, '--version'], { stdio: 'ignore' }).status === 0
}

function skipKnip(): boolean {
  console.error('not run: the search for unused code, whose parser npm installs on Node 20.19 and newer only')
  return process.env['CI'] === undefined
}
