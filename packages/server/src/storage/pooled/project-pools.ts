import type { Pool } from '../../model/model.ts'
import type { PoolStore } from '../contract.ts'

const PAGE = 1_000
const REMEMBERED = 1_000

/** The pools as projects see them: which of them belong to which flavor. Remembered until `forget`. */
export class ProjectPools {
  readonly #store: Pick<PoolStore, 'listPools'>
  readonly #known = new Map<string, Promise<readonly Pool[]>>()

  constructor(store: Pick<PoolStore, 'listPools'>) {
    this.#store = store
  }

  forget(): void {
    this.#known.clear()
  }

  /** By name. @throws StorageUnavailable */
  of(project: string): Promise<readonly Pool[]> {
    const known = this.#known.get(project)
    if (known !== undefined) return known
    if (this.#known.size >= REMEMBERED) this.#known.clear()
    const read = this.#read(project)
    this.#known.set(project, read)
    read.catch(() => this.#known.delete(project))
    return read
  }

  async #read(project: string): Promise<readonly Pool[]> {
    const pools: Pool[] = []
    for (;;) {
      const after = pools.at(-1)?.name ?? null
      const page = await this.#store.listPools({ project, after, limit: PAGE })
      pools.push(...page)
      if (page.length < PAGE) return pools
    }
  }
}
