import assert from 'node:assert/strict'
import type { Abilities, QueueEngine, Storage } from 'zaqar/storage'
import type { ManualClock } from './clock.ts'
import type { Harness, OpenedStore, StoreParts } from './harness.ts'

/** The clients of one store, of which one is in use. */
export class OpenedClients {
  readonly #harness: Harness
  readonly #clock: ManualClock
  readonly #store: OpenedStore
  #clients: Storage[]
  #current = 0
  #peer: OpenedClients | null = null

  static async open(harness: Harness, clock: ManualClock): Promise<OpenedClients> {
    return new OpenedClients(harness, clock, await harness.open(clock))
  }

  private constructor(harness: Harness, clock: ManualClock, store: OpenedStore) {
    this.#harness = harness
    this.#clock = clock
    this.#store = store
    this.#clients = [asStorage(store.storage)]
  }

  get abilities(): Abilities {
    return this.#harness.abilities
  }

  get parts(): StoreParts | undefined {
    return this.#store.parts
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
    assert(
      this.#store.openSecondClient,
      'the engine allows several processes but its harness cannot open a second client',
    )
    const client = asStorage(await this.#store.openSecondClient())
    this.#clients.push(client)
    return client
  }

  /** Another store, to which queues of this one can move; the same one whenever it is asked for. */
  async peer(): Promise<OpenedClients> {
    assert(this.#harness.openPeer)
    const store = this.#peer === null ? await this.#harness.openPeer(this.current, this.#clock) : null
    if (store !== null) this.#peer = new OpenedClients(this.#harness, this.#clock, store)
    return this.#peer as OpenedClients
  }

  /** Resolves when a move has failed beside those that were started together with it. */
  async failNeighbour(): Promise<void> {
    assert(this.#harness.failNeighbour)
    await assert.rejects(this.#harness.failNeighbour(this.current, this.#clock))
  }

  /** As after a restart of every client. */
  async reopen(): Promise<void> {
    assert(this.#store.reopen, 'the engine survives a reopening but its harness cannot reopen it')
    await this.close()
    this.#clients = [asStorage(await this.#store.reopen())]
    this.#current = 0
  }

  async close(): Promise<void> {
    for (const client of this.#clients) await client.close()
  }

  async closeAll(): Promise<void> {
    await this.close()
    await this.#peer?.closeAll()
  }

  async drop(): Promise<void> {
    await this.close()
    await this.#store.drop()
    await this.#peer?.drop()
  }
}

/** What needs the registry is skipped where there is none. */
function asStorage(engine: QueueEngine | Storage): Storage {
  return engine as Storage
}
