import type { Instant, Message, QueueKey } from '../model/model.ts'
import type { Clock, Timer } from '../platform/clock.ts'
import type { Ids } from '../platform/ids.ts'
import type { MemoryBudget } from '../platform/memory-budget.ts'
import { GONE_MS, type Storage } from '../storage/contract.ts'
import type { Follower, Following } from './followers.ts'
import type { Listing, Page, ReadPage } from './listing.ts'
import { SharedRoom } from './shared-room.ts'

export interface FollowerParts {
  readonly watch: Storage['watch']
  readonly readPage: ReadPage
  readonly clock: Clock
  readonly budget: Pick<MemoryBudget, 'wait'>
  readonly ids: Pick<Ids, 'randomFraction'>
}

/** After a failure, in milliseconds; after each further one twice as long. */
const RETRY_MS = 1_000
const LONGEST_RETRY_MS = 4_000
/** Pages up to this size, in bytes, are handed out without asking the budget. */
const SMALL_BYTES = 64 * 1024
/** A body is there as a part of a page, and of what each follower makes of it. */
const COPIES = 2

/** Members who stand at the same place and want to see the same. */
interface Group {
  /** What is read for them. */
  listing: Listing
  /** The same text for equal listings. */
  place: string
  readonly members: Set<Member>
  /** Since when reading for them fails; null: it does not. */
  failingSince: Instant | null
}

type Groups = Map<string, Group>

class Member implements Following {
  readonly follower: Follower
  readonly #queue: FollowedQueue
  /** Null while it takes a page on its own. */
  group: Group | null = null
  /** When the page was read that it takes on its own. */
  readAt: Instant = 0
  /** It has seen all there was, at some time: from then on it sees also what is removed. */
  isLive = false
  hasStopped = false

  constructor(follower: Follower, queue: FollowedQueue) {
    this.follower = follower
    this.#queue = queue
  }

  stop(): void {
    this.#queue.remove(this)
  }
}

/** The reader of one queue for all who follow it. It watches as long as there are any. */
export class FollowedQueue {
  readonly #parts: FollowerParts
  readonly #onEnd: () => void
  readonly #unwatch: () => void
  /** Those who have seen all there is, by place. */
  readonly #resting: Groups = new Map()
  /** Those for whom there may be something, by place. */
  readonly #due: Groups = new Map()
  #hasNews = false
  #isReading = false
  #retry: Timer | null = null
  /** Attempts that failed, one after the other. */
  #failures = 0
  #count = 0

  /** `onEnd` is called when nobody follows any more. */
  constructor(key: QueueKey, parts: FollowerParts, onEnd: () => void) {
    this.#parts = parts
    this.#onEnd = onEnd
    this.#unwatch = parts.watch(key, () => this.#onNews())
  }

  add(follower: Follower): Following {
    const member = new Member(follower, this)
    this.#count += 1
    this.#join(member, sharedListing(follower))
    return member
  }

  remove(member: Member): void {
    if (member.hasStopped) return
    member.hasStopped = true
    if (member.group !== null) this.#leave(member, member.group)
    this.#count -= 1
    if (this.#count > 0) return
    this.#unwatch()
    this.#retry?.cancel()
    this.#onEnd()
  }

  #onNews(): void {
    this.#hasNews = true
    void this.#read()
  }

  /** Where others have seen all there is, there is nothing new to one who comes to them. */
  #join(member: Member, listing: Listing): void {
    const place = placeOf(listing)
    const resting = this.#resting.get(place)
    const group = resting ?? this.#due.get(place) ?? { listing, place, members: new Set(), failingSince: null }
    group.members.add(member)
    member.group = group
    if (resting !== undefined) {
      member.isLive ||= group.failingSince === null
      return
    }
    this.#due.set(place, group)
    void this.#read()
  }

  #leave(member: Member, group: Group): void {
    const { members, place } = group
    members.delete(member)
    member.group = null
    if (members.size > 0) return
    for (const groups of [this.#resting, this.#due]) if (groups.get(place) === group) groups.delete(place)
  }

  /** Who comes while a group is being read for is not in it: the read may show what is gone since. */
  async #read(): Promise<void> {
    if (this.#isReading) return
    this.#isReading = true
    for (;;) {
      if (this.#hasNews) this.#wake()
      if (this.#due.size === 0) break
      const groups = [...this.#due.values()]
      this.#due.clear()
      await Promise.all(groups.map((group) => this.#readFor(group)))
    }
    this.#isReading = false
  }

  #wake(): void {
    this.#hasNews = false
    for (const group of this.#resting.values()) put(group, this.#due)
    this.#resting.clear()
  }

  async #readFor(group: Group): Promise<void> {
    const { readPage, clock } = this.#parts
    const { listing } = group
    const start = clock.now()
    let page: Page
    try {
      page = await readPage(listing, start)
    } catch (error) {
      return this.#fail(group, error, start)
    }
    const unreadSince = group.failingSince ?? start
    group.failingSince = null
    this.#failures = 0
    if (page.missed === true || this.#isTooLong(unreadSince)) this.#tellMissed(group)
    if (page.messages.length < listing.limit) for (const member of group.members) member.isLive = true
    if (page.messages.length > 0) this.#handOut(page, group)
    put(group, page.messages.length < listing.limit ? this.#resting : this.#due)
  }

  /** Those who have taken the page at once go on together. */
  #handOut(page: Page, group: Group): void {
    const { listing } = group
    const next = { ...listing, after: page.marker }
    const bytes = bytesOf(page.messages)
    const { budget } = this.#parts
    const isLong = bytes > SMALL_BYTES
    let shared: SharedRoom | null = null
    const roomFor = ({ sharesPages }: Follower): SharedRoom | null => {
      if (!isLong) return null
      if (sharesPages !== true) return new SharedRoom(budget, COPIES * bytes)
      shared ??= new SharedRoom(budget, COPIES * bytes)
      return shared
    }
    group.listing = next
    group.place = placeOf(next)
    for (const member of group.members) {
      const { once, hideClientId } = member.follower
      const shown = listing.hideClientId === null ? without(hideClientId, page) : page
      if (shown !== page && once) {
        // It wants the page of a listing, which is as long as there are messages for it.
        this.#leave(member, group)
        this.#join(member, { ...listing, hideClientId })
      } else if (shown.messages.length > 0) {
        this.#hand(shown, roomFor(member.follower), member, group)
      }
    }
  }

  /** `room`: what has to be there for it before; null: it is small. */
  #hand(page: Page, room: SharedRoom | null, member: Member, group: Group): void {
    const { follower } = member
    try {
      const taking = room === null ? follower.onPage(page) : this.#handLong(page, room, member)
      if (taking === undefined) {
        if (follower.once) this.remove(member)
        return
      }
      const { listing } = group
      member.readAt = page.now
      this.#leave(member, group)
      taking.then(
        () => this.#goOn(member, listing),
        (error) => this.#giveUp(member, error),
      )
    } catch (error) {
      this.#giveUp(member, error)
    }
  }

  async #handLong(page: Page, room: SharedRoom, member: Member): Promise<void> {
    await room.enter()
    try {
      if (!member.hasStopped) await member.follower.onPage(page)
    } finally {
      room.leave()
    }
  }

  #goOn(member: Member, listing: Listing): void {
    if (member.hasStopped) return
    if (member.follower.once) {
      this.remove(member)
      return
    }
    // Where others have seen all there is, nothing came meanwhile.
    const hasAll = this.#resting.has(placeOf(listing))
    if (member.isLive && !hasAll && this.#isTooLong(member.readAt)) member.follower.onMissed?.()
    if (!member.hasStopped) this.#join(member, listing)
  }

  #giveUp(member: Member, error: unknown): void {
    this.remove(member)
    member.follower.onStopped(error)
  }

  /** Whether what was removed then may not be kept any more. */
  #isTooLong(since: Instant): boolean {
    return this.#parts.clock.now() - since > GONE_MS
  }

  #tellMissed(group: Group): void {
    for (const member of group.members) if (member.isLive) member.follower.onMissed?.()
  }

  /** `start`: of the attempt. */
  #fail(group: Group, error: unknown, start: Instant): void {
    group.failingSince ??= start
    for (const member of group.members) {
      if (member.follower.once) this.remove(member)
      member.follower.onFailure(error)
    }
    if (this.#isTooLong(group.failingSince)) this.#tellMissed(group)
    if (group.members.size === 0) return
    put(group, this.#resting)
    if (this.#retry !== null) return
    // Not all queues at the same time.
    const { clock, ids } = this.#parts
    const longest = Math.min(RETRY_MS * 2 ** this.#failures, LONGEST_RETRY_MS)
    this.#failures += 1
    this.#retry = clock.at(clock.now() + longest * (1 - ids.randomFraction() / 2), () => {
      this.#retry = null
      this.#onNews()
    })
  }
}

/** What a follower itself posted is taken out later, so that it can share what is read for others. */
function sharedListing(listing: Listing): Listing {
  const { key, after, limit, includeClaimed, includeDelayed, includeGone = false, withMarkers = false } = listing
  return { key, after, limit, hideClientId: null, includeClaimed, includeDelayed, includeGone, withMarkers }
}

function placeOf(listing: Listing): string {
  const { after, limit, hideClientId, includeClaimed, includeDelayed, includeGone, withMarkers } = listing
  return JSON.stringify([after, limit, hideClientId, includeClaimed, includeDelayed, includeGone, withMarkers])
}

function put(group: Group, groups: Groups): void {
  if (group.members.size === 0) return
  const other = groups.get(group.place)
  if (other === undefined) {
    groups.set(group.place, group)
    return
  }
  other.failingSince ??= group.failingSince
  for (const member of group.members) {
    other.members.add(member)
    member.group = other
  }
}

/** The page itself when nothing in it was posted by that client. */
function without(clientId: string | null, page: Page): Page {
  const isOwn = (message: Message) => message.clientId === clientId
  if (clientId === null || !page.messages.some(isOwn)) return page
  return { ...page, messages: page.messages.filter((message) => !isOwn(message)) }
}

/** In UTF-16 units, which is near enough. */
function bytesOf(messages: readonly Message[]): number {
  return messages.reduce((sum, { body }) => sum + body.length, 0)
}
