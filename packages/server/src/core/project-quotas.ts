import type { ProjectUsage, QueueStore } from '../storage/contract.ts'
import { ZaqarError } from './errors.ts'
import type { Instant } from './model/model.ts'

/** How much a project may keep; null: as much as it likes. */
export interface Quotas {
  /** Queues and topics. */
  readonly maxQueues: number | null
  readonly maxMessages: number | null
}

/** What a project is known to keep, and what this process is about to add. */
interface Account {
  kept: ProjectUsage
  underWay: ProjectUsage
  readAt: Instant
  reading: Promise<void> | null
}

interface Addition<T> {
  run(): Promise<T>
  /** Whether it has added anything, by what it answered. */
  hasAdded(answer: T): boolean
}

type Kind = keyof ProjectUsage

/** How long what the storage has said is relied upon. */
const REMEMBERED_MS = 1000
/** Accounts beyond this many are forgotten, the oldest first, and read again when they are needed. */
const ACCOUNTS = 10_000
const NOTHING: ProjectUsage = { queues: 0, messages: 0 }
const CODES = { queues: 'quota.queues', messages: 'quota.messages' } as const

/**
 * Holds every project to the quotas. The storage is asked once a second at the most what a project keeps, and what this process
 * adds in the meantime is counted on top, so this process by itself never lets a project go beyond them. Several do by what the
 * others have let in within that second.
 */
export class ProjectQuotas {
  readonly #max: Readonly<Record<Kind, number | null>>
  readonly #queues: QueueStore
  readonly #accounts = new Map<string, Account>()

  constructor({ maxQueues, maxMessages }: Quotas, queues: QueueStore) {
    this.#max = { queues: maxQueues, messages: maxMessages }
    this.#queues = queues
  }

  /**
   * Runs what adds that many queues or messages, where the project may have them.
   * @throws ZaqarError when it may not
   */
  async add<T>(kind: Kind, count: number, project: string, now: Instant, addition: Addition<T>): Promise<T> {
    const max = this.#max[kind]
    if (max === null) return addition.run()
    const account = await this.#account(project, now)
    const used = account.kept[kind] + account.underWay[kind]
    if (used + count > max) throw new ZaqarError(CODES[kind], { project, max, used, count })
    account.underWay = plus(account.underWay, kind, count)
    try {
      const answer = await addition.run()
      if (addition.hasAdded(answer)) account.kept = plus(account.kept, kind, count)
      return answer
    } finally {
      account.underWay = plus(account.underWay, kind, -count)
    }
  }

  async #account(project: string, now: Instant): Promise<Account> {
    const account = this.#accounts.get(project) ?? this.#open(project)
    if (account.reading === null && now - account.readAt >= REMEMBERED_MS) {
      account.reading = this.#read(account, project, now).finally(() => {
        account.reading = null
      })
    }
    await account.reading
    return account
  }

  #open(project: string): Account {
    const account: Account = { kept: NOTHING, underWay: NOTHING, readAt: Number.NEGATIVE_INFINITY, reading: null }
    this.#accounts.set(project, account)
    if (this.#accounts.size > ACCOUNTS) {
      const [[oldest] = ['']] = this.#accounts
      this.#accounts.delete(oldest)
    }
    return account
  }

  async #read(account: Account, project: string, now: Instant): Promise<void> {
    const before = account.kept
    const usage = await this.#queues.usage({ project, now })
    // What was stored while the storage was asked may be in its answer or not; it counts, for a second at the most.
    account.kept = {
      queues: usage.queues + account.kept.queues - before.queues,
      messages: usage.messages + account.kept.messages - before.messages,
    }
    account.readAt = now
  }
}

function plus(usage: ProjectUsage, kind: Kind, count: number): ProjectUsage {
  return { ...usage, [kind]: usage[kind] + count }
}
