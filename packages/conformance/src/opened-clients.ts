import assert from 'node:assert/strict'
import type { Storage } from 'zaqar/storage'
import type { OpenedStore } from './harness.ts'

/** The clients of one store, of which one is in use. */
export class OpenedClients {
  readonly #store: OpenedStore
  #clients: Storage[]
  #current = 0

  constructor(store: OpenedStore) {
    this.#store = store
    this.#clients = [store.storage]
  }

  get current(): Storage {
    const client = this.#clients[this.#current]
    assert(client)
    return client
  }

  /** Goes on with the other one of two clients. */
  async change(): Promise<void> {
    if (this.#clients.length === 1) await this.openAnother()
    this.#current = 1 - this.#current
  }

  async openAnother(): Promise<Storage> {
    assert(this.#store.openSecondClient, 'the harness declares several clients but cannot open a second one')
    const client = await this.#store.openSecondClient()
    this.#clients.push(client)
    return client
  }

  /** Resolves when a move has failed beside those that were started together with it. */
  async failNeighbour(): Promise<void> {
    assert(this.#store.failNeighbour, 'the harness declares failing neighbours but cannot make one fail')
    await assert.rejects(this.#store.failNeighbour(this.current))
  }

  /** As after a restart of every client. */
  async reopen(): Promise<void> {
    assert(this.#store.reopen, 'the harness declares that it survives a reopening but cannot reopen')
    await this.close()
    this.#clients = [await this.#store.reopen()]
    this.#current = 0
  }

  async close(): Promise<void> {
    for (const client of this.#clients) await client.close()
  }

  async drop(): Promise<void> {
    await this.close()
    await this.#store.drop()
  }
}
