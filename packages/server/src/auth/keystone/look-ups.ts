import type { Asker } from '../../core/identity.ts'
import { CONNECTIONS, KeystoneUnavailable } from './keystone-connection.ts'
import { networkOf } from './network-of.ts'

/** More than these under way and waiting mean that Keystone does not keep up. */
const MAX_PENDING = 1000

/** Too many wait for Keystone, and those who asked now have their share of the line. */
class KeystoneBusy extends KeystoneUnavailable {
  override readonly name = 'KeystoneBusy'

  constructor() {
    super('too many tokens wait for Keystone')
    // It says nothing that the message does not.
    delete this.stack
  }
}

/** Nobody waits for the answer any more. */
export class Departed extends KeystoneUnavailable {
  override readonly name = 'Departed'
}

interface LookUp<Answer> {
  readonly key: string
  readonly network: string
  readonly look: () => Promise<Answer>
  readonly answer: PromiseWithResolvers<Answer>
  waiters: number
  isUnderWay: boolean
}

/**
 * What Keystone is asked, a few at one time; the others wait in a line for each network of clients, and the lines have
 * turns. So who sends many tokens waits behind them alone. Whatever has the same key is asked once.
 */
export class LookUps<Answer> {
  readonly #pending = new Map<string, LookUp<Answer>>()
  /** Those that wait, by network; the first line has the next turn. None is empty. */
  readonly #lines = new Map<string, LookUp<Answer>[]>()
  #underWay = 0

  /** @throws KeystoneBusy, Departed, or what `look` throws */
  ask(key: string, look: () => Promise<Answer>, asker: Asker): Promise<Answer> {
    const lookUp = this.#pending.get(key) ?? this.#add(key, look, asker)
    if (lookUp === null) return Promise.reject(new KeystoneBusy())
    this.#wait(lookUp, asker)
    this.#goOn()
    return lookUp.answer.promise
  }

  #add(key: string, look: () => Promise<Answer>, { clientAddress }: Asker): LookUp<Answer> | null {
    const network = networkOf(clientAddress?.() ?? '')
    if (this.#pending.size >= MAX_PENDING && !this.#makeRoom(network)) return null
    const answer = Promise.withResolvers<Answer>()
    const lookUp = { key, network, look, answer, waiters: 0, isUnderWay: false }
    this.#pending.set(key, lookUp)
    const line = this.#lines.get(network)
    if (line === undefined) this.#lines.set(network, [lookUp])
    else line.push(lookUp)
    return lookUp
  }

  /** The last of the longest line goes, unless the line of that network would be as long. */
  #makeRoom(network: string): boolean {
    let longest: readonly LookUp<Answer>[] = []
    for (const line of this.#lines.values()) if (line.length > longest.length) longest = line
    const last = longest.at(-1)
    const own = this.#lines.get(network)?.length ?? 0
    if (last === undefined || own + 1 >= longest.length) return false
    this.#drop(last, new KeystoneBusy())
    return true
  }

  #wait(lookUp: LookUp<Answer>, { signal }: Asker): void {
    lookUp.waiters++
    const departure = signal?.()
    const leave = () => {
      lookUp.waiters--
      // What is under way is not broken off: Keystone would go on with it, beside what takes its place here.
      if (lookUp.waiters === 0 && !lookUp.isUnderWay) this.#drop(lookUp, new Departed('nobody waits for Keystone'))
    }
    if (departure?.aborted) leave()
    else departure?.addEventListener('abort', leave, { once: true })
  }

  #drop(lookUp: LookUp<Answer>, error: KeystoneUnavailable): void {
    const { key, network, answer } = lookUp
    const line = this.#lines.get(network)?.filter((other) => other !== lookUp) ?? []
    if (line.length === 0) this.#lines.delete(network)
    else this.#lines.set(network, line)
    this.#pending.delete(key)
    answer.reject(error)
  }

  #goOn(): void {
    while (this.#underWay < CONNECTIONS) {
      const [first] = this.#lines
      if (first === undefined) return
      const [network, [next, ...others]] = first
      this.#lines.delete(network)
      if (others.length > 0) this.#lines.set(network, others)
      if (next !== undefined) this.#start(next)
    }
  }

  #start(lookUp: LookUp<Answer>): void {
    lookUp.isUnderWay = true
    this.#underWay++
    const { key, look, answer } = lookUp
    look()
      .finally(() => {
        this.#underWay--
        this.#pending.delete(key)
        this.#goOn()
      })
      .then(answer.resolve, answer.reject)
  }
}
