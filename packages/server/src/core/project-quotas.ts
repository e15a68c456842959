import type { Instant } from '../model/model.ts'
import type { ProjectUsage, QueueStore } from '../storage/contract.ts'
import { ZaqarError } from './errors.ts'

/** How much a project may keep; null: as much as it likes. */
export interface Quotas {
  /** Queues and topics. */
  readonly maxQueues: number | null
  readonly maxMessages: number | null
  /** Of all that clients have stored: see `ProjectUsage`. */
  readonly maxMessageBytes: number | null
}

/** What a project is known to keep, and what this process is about to add. */
interface Account {
  kept: ProjectUsage
  underWay: ProjectUsage
  readAt: Instant
  reading: Promise<void> | null
}

interface Addition<T> extends Partial<ProjectUsage> {
  run(): Promise<T>
  /** Whether it has added anything, by what it answered. */
  hasAdded(answer: T): boolean
}

type Kind = keyof ProjectUsage
const KINDS: readonly Kind[] = ['queues', 'messages', 'bytes']

/** How long what the storage has said is relied upon. */
const REMEMBERED_MS = 1000
/** Accounts beyond this many are forgotten, the oldest first, and read again when they are needed. */
const ACCOUNTS = 10_000
const NOTHING: ProjectUsage = { queues: 0, messages: 0, bytes: 0 }
const CODES = { queues: 'quota.queues', messages: 'quota.messages', bytes: 'quota.bytes' } as const

/**
 * Holds every project to the quotas. The storage is asked once a second at the most what a project keeps, and what this
 * process adds in the meantime is counted on top, so this process by itself never lets a project go beyond them.
 * Several do by what the others have let in within that second.
 */
export class ProjectQuotas {
  readonly #max: Readonly<Record<Kind, number | null>>
  readonly #queues: QueueStore
  readonly #accounts = new Map<string, Account>()

  constructor({ maxQueues, maxMessages, maxMessageBytes }: Quotas, queues: QueueStore) {
    this.#max = { queues: maxQueues, messages: maxMessages, bytes: maxMessageBytes }
    this.#queues = queues
  }

  /**
   * Runs what adds so many queues, messages and bytes, where the project may have them.
   * @throws ZaqarError when it may not
   */
  async add<T>(project: string, now: Instant, addition: Addition<T>): Promise<T> {
    const limited = KINDS.filter((kind) => this.#max[kind] !== null && (addition[kind] ?? 0) > 0)
    if (limited.length === 0) return addition.run()
    const account = await this.#account(project, now)
    for (const kind of limited) {
      const max = this.#max[kind] ?? 0
      const used = account.kept[kind] + account.underWay[kind]
      const count = addition[kind] ?? 0
      if (used + count > max) throw new ZaqarError(CODES[kind], { project, max, used, count })
    }
    const added = usageOf(addition)
    account.underWay = sum(account.underWay, added)
    try {
      const answer = await addition.run()
      if (addition.hasAdded(answer)) account.kept = sum(account.kept, added)
      return answer
    } finally {
      account.underWay = sum(account.underWay, added, -1)
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
    account.kept = sum(usage, sum(account.kept, before, -1))
    account.readAt = now
  }
}

/** What metadata or options count for: what stands between the braces. */
export function documentBytes(text: string): number {
  return Buffer.byteLength(text) - 2
}

function usageOf({ queues = 0, messages = 0, bytes = 0 }: Partial<ProjectUsage>): ProjectUsage {
  return { queues, messages, bytes }
}

/** `b` counts `times`. */
function sum(a: ProjectUsage, b: ProjectUsage, times = 1): ProjectUsage {
  return {
    queues: a.queues + times * b.queues,
    messages: a.messages + times * b.messages,
    bytes: a.bytes + times * b.bytes,
  }
}
