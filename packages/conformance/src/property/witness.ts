import type { Storage } from 'zaqar/storage'
import { STALE } from 'zaqar/storage'
import type { Pair } from './identities.ts'
import type { World } from './world.ts'

const PAGE = 3

/**
 * A reader that keeps what is removed from a queue and reads on before that is forgotten: so it meets every message that
 * takes a place there, once, in the order of places, whatever consumers do with it. What it meets the model says.
 */
export class Witness {
  readonly #world: World
  readonly #queue: number
  #marker: Pair<string> | null = null
  #ends: (() => void)[] = []

  constructor(world: World, queue: number) {
    this.#world = world
    this.#queue = queue
  }

  /** Also when the client that kept is closed. */
  async keep(model: Storage): Promise<void> {
    this.end()
    const key = this.#world.key(this.#queue)
    for (const storage of [this.#world.engine, model]) this.#ends.push(await storage.keepGone(key))
  }

  /** Asks the engine only where the model has something new. */
  async readOn(model: Storage): Promise<void> {
    const { now } = this.#world
    const key = this.#world.key(this.#queue)
    const queue = await model.queues.get({ key, now })
    if (!queue) return
    const after = this.#marker?.model ?? null
    for (let more = await this.#list(model, after, 1); more.messages.length > 0; ) more = await this.#readPage()
  }

  end(): void {
    for (const end of this.#ends.splice(0)) end()
  }

  /** Goes on behind the messages, whose markers are as good as that of the page. */
  async #readPage(): Promise<Page> {
    const { engine, model } = await this.#world.about(this.#queue, () =>
      this.#world.ask((storage, of) => this.#list(storage, this.#marker && of(this.#marker), PAGE)),
    )
    const [last, lastOfModel] = [engine.messages.at(-1)?.marker, model.messages.at(-1)?.marker]
    if (last !== undefined && lastOfModel !== undefined) this.#marker = { engine: last, model: lastOfModel }
    return model
  }

  async #list(storage: Storage, after: string | null, limit: number): Promise<Page> {
    const { now } = this.#world
    const queue = await storage.queues.get({ key: this.#world.key(this.#queue), now })
    if (!queue) return { messages: [] }
    const page = await storage.messages.list({
      queue,
      after,
      limit,
      hideClientId: null,
      includeClaimed: true,
      includeDelayed: false,
      includeGone: true,
      withMarkers: true,
      now,
    })
    return page === STALE ? { messages: [] } : page
  }
}

type Page = Pick<Exclude<Awaited<ReturnType<Storage['messages']['list']>>, typeof STALE>, 'messages'>
