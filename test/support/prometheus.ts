import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '../../packages/server/test/support/until.ts'
import { freePort } from './proxy.ts'

/** Debian's Prometheus, which looks at a service each second. */
export interface Prometheus {
  /** What an expression has now. */
  query(expression: string): Promise<unknown[]>
  /** Names of the alerts that fire now. */
  firing(): Promise<string[]>
  stop(): Promise<void>
}

/** Resolves when it answers. `rules`: text of a file of rules, which are looked at each second. */
export async function startPrometheus(target: string, rules = 'groups: []'): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'zaqar-prometheus-'))
  const job = {
    job_name: 'zaqar',
    scrape_interval: '1s',
    scrape_timeout: '1s',
    static_configs: [{ targets: [target] }],
  }
  // JSON is YAML, too.
  const config = { global: { evaluation_interval: '1s' }, rule_files: ['rules.yml'], scrape_configs: [job] }
  const file = join(folder, 'prometheus.yml')
  writeFileSync(file, JSON.stringify(config))
  writeFileSync(join(folder, 'rules.yml'), rules)
  const address = `127.0.0.1:${await freePort()}`
  const argv = [`--config.file=${file}`, `--storage.tsdb.path=${folder}`, `--web.listen-address=${address}`]
  const child = spawn('/usr/bin/prometheus', argv, { stdio: 'ignore' })
  const stop = async () => {
    const ended = once(child, 'exit')
    if (child.exitCode === null && child.kill('SIGKILL')) await ended
    rmSync(folder, { recursive: true })
  }
  const ask = async (path: string) => {
    const answer = await fetch(`http://${address}/api/v1/${path}`)
    const { status, data, error } = (await answer.json()) as { status: string; data: unknown; error?: string }
    assert.equal(status, 'success', `${path}: ${error}`)
    return data
  }
  try {
    await until(async () => {
      assert.equal(child.exitCode, null, 'Prometheus has ended')
      return (await fetch(`http://${address}/-/ready`).catch(() => null))?.status === 200
    })
  } catch (error) {
    await stop()
    throw error
  }
  return {
    async query(expression) {
      const { result } = (await ask(`query?${new URLSearchParams({ query: expression })}`)) as { result: unknown[] }
      return result
    },
    async firing() {
      const { alerts } = (await ask('alerts')) as { alerts: { state: string; labels: { alertname: string } }[] }
      return alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels.alertname)
    },
    stop,
  }
}
