import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../packages/server/test/storage/postgres-server.ts'
import { TestClient } from '../../packages/server/test/support/test-client.ts'
import { until } from '../../packages/server/test/support/until.ts'
import { sendOverHttp } from '../support/send-over-http.ts'
import { type Service, startService } from '../support/service.ts'

/** For what takes as long as a lease of a node that was killed, on a busy machine. */
const PATIENCE_MS = 240_000

/** As the API shows it. */
export interface Drain {
  readonly status: string
  readonly ended: string | null
  readonly queues_left: number | null
  readonly queues_moved: number
  readonly records_moved: number
  readonly trouble: string | null
}

/** A node at an address that it has again after it was killed, and who asks it for pools. */
export class PooledNode {
  readonly url: string
  readonly #port: number
  readonly #config: string
  readonly #dataDir: string
  readonly #send
  readonly #admin: TestClient
  #service: Service

  /** `own`: address of the store that keeps the catalogue. `dataDir` goes with the node. */
  static async start(own: string, dataDir = mkdtempSync(join(tmpdir(), 'zaqar-node-'))): Promise<PooledNode> {
    const port = await freePort()
    const config =
      '[DEFAULT]\npooling = true\n[transport]\nmax_messages_per_page = 1000\nmax_messages_per_claim_or_pop = 1000\n' +
      `[storage]\nuri = ${own}\nconnections = 2\n`
    return new PooledNode(port, config, dataDir, await startService({ port, config, dataDir }))
  }

  private constructor(port: number, config: string, dataDir: string, service: Service) {
    this.#port = port
    this.#config = config
    this.#dataDir = dataDir
    this.#service = service
    this.url = service.url
    this.#send = sendOverHttp(service.url)
    this.#admin = new TestClient(this.#send).with({ 'X-Roles': 'admin' })
  }

  kill(): Promise<void> {
    return this.#service.kill()
  }

  async restart(): Promise<void> {
    this.#service = await startService({ port: this.#port, config: this.#config, dataDir: this.#dataDir })
  }

  log(): string {
    return this.#service.log()
  }

  async stop(): Promise<void> {
    this.#send.close()
    if (this.#service.isRunning()) await this.#service.stop()
    rmSync(this.#dataDir, { recursive: true, force: true })
  }

  async putPool(name: string, uri: string, weight: number): Promise<void> {
    await this.#ask('PUT', `/v2/pools/${name}`, 201, { uri, weight })
  }

  async deletePool(name: string): Promise<void> {
    await this.#ask('DELETE', `/v2/pools/${name}`, 204)
  }

  /** `place`: `/v2/pools/P/drain` or `/v2/rebalance`. */
  /** `rate`: records a second; without it, as fast as it goes. */
  async begin(place: string, rate?: number): Promise<void> {
    await this.#ask('PUT', place, 202, { rate })
  }

  async cancel(place: string): Promise<void> {
    await this.#ask('DELETE', place, 204)
  }

  async look(place: string): Promise<Drain> {
    return JSON.parse(await this.#ask('GET', place, 200))
  }

  /** As it is when that is so. */
  async until(place: string, isSo: (drain: Drain) => boolean): Promise<Drain> {
    let latest = await this.look(place)
    const look = async () => {
      latest = await this.look(place)
      return isSo(latest)
    }
    await until(look, 'it did not come to that', PATIENCE_MS).catch((cause) => {
      throw new Error(`the latest look: ${JSON.stringify(latest)}`, { cause })
    })
    return latest
  }

  async done(place: string): Promise<Drain> {
    const ended = await this.until(place, ({ ended }) => ended !== null)
    assert.equal(ended.status, 'done', JSON.stringify(ended))
    return ended
  }

  async #ask(method: string, target: string, status: number, body?: unknown): Promise<string> {
    const answer = await this.#admin.send(method, target, body)
    assert.equal(answer.status, status, `${method} ${target}: ${answer.text}`)
    return answer.text
  }
}
