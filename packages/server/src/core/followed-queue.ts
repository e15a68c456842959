import type { Message, QueueKey } from '../model/model.ts'
import type { Clock, Timer } from '../platform/clock.ts'
import type { MemoryBudget } from '../platform/memory-budget.ts'
import type { Storage } from '../storage/contract.ts'
import type { Follower, Following } from './followers.ts'
import type { Listing, Page, ReadPage } from './listing.ts'
import { SharedRoom } from './shared-room.ts'

export interface FollowerParts {
  readonly watch: Storage['watch']
  readonly readPage: ReadPage
  readonly clock: Clock
  readonly budget: Pick<MemoryBudget, 'wait'>
}

/** After a failure, in milliseconds. */
const RETRY_MS = 1_000
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
}

type Groups = Map<string, Group>

class Member implements Following {
  readonly follower: Follower
  readonly #queue: FollowedQueue
  /** Null while it takes a page on its own. */
  group: Group | null = null
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
    const group = resting ?? this.#due.get(place) ?? { listing, place, members: new Set() }
    group.members.add(member)
    member.group = group
    if (resting !== undefined) return
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
    let page: Page
    try {
      page = await readPage(listing, clock.now())
    } catch (error) {
      return this.#fail(group, error)
    }
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
    if (member.follower.once) this.remove(member)
    else this.#join(member, listing)
  }

  #giveUp(member: Member, error: unknown): void {
    this.remove(member)
    member.follower.onFailure(error)
  }

  #fail(group: Group, error: unknown): void {
    for (const member of group.members) {
      if (member.follower.once) this.remove(member)
      member.follower.onFailure(error)
    }
    if (group.members.size === 0) return
    put(group, this.#resting)
    const { clock } = this.#parts
    this.#retry ??= clock.at(clock.now() + RETRY_MS, () => {
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
