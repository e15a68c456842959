/*
 * node tools/run.cjs SCRIPT [ARGUMENT]...
 *
 * Runs a script of the repository: on this Node if it is new enough, else on the one that `npm ci` brings. npm 11 links that
 * one into node_modules/.bin, and thus runs everything on it. Older ones do not: they take the link away again together with
 * the packages for other platforms, whose command has the same name.
 *
 * An old Node has to understand this file.
 */
const { spawn } = require('node:child_process')
const { existsSync } = require('node:fs')
const { enableCompileCache } = require('node:module')
const { join, resolve } = require('node:path')
const { pathToFileURL } = require('node:url')
const { optionalDependencies } = require('../package.json')

const command = process.platform === 'win32' ? 'bin/node.exe' : 'bin/node'
const pinned = Object.keys(optionalDependencies)
  .map((name) => join(__dirname, '../node_modules', name, command))
  .find(existsSync)

// What Node makes of a `.ts` file is kept for the next start, which is then twice as fast.
if (process.env.NODE_COMPILE_CACHE === undefined) {
  process.env.NODE_COMPILE_CACHE = join(__dirname, '../node_modules/.cache/node')
}

if (Number.parseInt(process.versions.node, 10) >= 24 || pinned === undefined) runHere()
else runOn(pinned)

function runHere() {
  require('../packages/server/bin/require-node.cjs')
  enableCompileCache(process.env.NODE_COMPILE_CACHE)
  process.argv.splice(1, 1)
  import(pathToFileURL(resolve(process.argv[1])).href)
}

function runOn(node) {
  const child = spawn(node, process.argv.slice(2), { stdio: 'inherit' })
  child.on('error', runHere)
  child.on('exit', (code) => process.exit(code === null ? 1 : code))
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  process.on('SIGHUP', () => child.kill('SIGHUP'))
  // A terminal interrupts both, and the child decides when to end.
  process.on('SIGINT', () => {})
}
