import type { Claim, Instant, ListedClaim } from '../../model/model.ts'
import type { ClaimStore, Exchanged } from '../contract.ts'
import { DeadLetters } from './dead-letters.ts'
import { Departures } from './departures.ts'
import type { Engine } from './engine.ts'
import { limited } from './limited.ts'
import { type MessageRow, type MessageSpot, NO_CLAIM, unsealedClaim } from './message-rows.ts'
import type { QueueState } from './queue-states.ts'
import { Unfinished } from './turns.ts'

interface ClaimRow {
  readonly number: number
  readonly ttl: number
  readonly renewed_at: Instant
  readonly places: string
}

interface ListedRow extends Omit<ClaimRow, 'places'> {
  readonly holds: number
  readonly client: string | null
}

interface Terms {
  readonly clientId?: string | undefined
  readonly key?: string | undefined
  readonly ttlSeconds: number
  readonly graceSeconds: number
}

export function createClaimStore(engine: Engine): ClaimStore {
  const { db, states, rows, settling, onQueue } = engine
  const deadLetters = new DeadLetters(engine, new Departures(engine))
  const hold = db.prepare('UPDATE message SET claim = ?, claim_count = claim_count + 1 WHERE rowid = ?')
  // Apart, since naming the expiry makes SQLite rewrite its index entry, whether it changes or not.
  const lengthen = db.prepare('UPDATE message SET ttl = ?, expires_at = ? WHERE rowid = ?')
  const insert = db.prepare(
    `INSERT INTO claim (bucket, number, ends_at, ttl, renewed_at, holds, places, key, client)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const select = db.prepare('SELECT number, ttl, renewed_at, places FROM claim WHERE bucket = ? AND number = ?')
  const selectByKey = db.prepare(
    'SELECT number, ttl, renewed_at, places FROM claim INDEXED BY claim_key WHERE bucket = ? AND key = ?',
  )
  const behind = limited(
    db,
    'SELECT number, ttl, renewed_at, holds, client FROM claim WHERE bucket = ? AND number > ? ORDER BY number',
  )
  const renew = db.prepare('UPDATE claim SET ends_at = ?, ttl = ?, renewed_at = ? WHERE bucket = ? AND number = ?')

  function find(state: QueueState, claimId: string): ClaimRow | null {
    const number = engine.claimNumber(state, claimId)
    if (number === null) return null
    return (select.get(state.bucket, number) as ClaimRow | undefined) ?? null
  }

  /** The live claim that was made with that key. */
  function findByKey(state: QueueState, key: string | undefined): ClaimRow | null {
    return key === undefined ? null : ((selectByKey.get(state.bucket, key) as ClaimRow | undefined) ?? null)
  }

  function heldBy(claim: ClaimRow, state: QueueState): MessageRow[] {
    return (JSON.parse(claim.places) as number[])
      .map((place) => rows.byPlace(state, place))
      .filter((row) => row !== null && row.claim === claim.number) as MessageRow[]
  }

  function toClaim({ ttl, renewed_at }: ClaimRow, held: readonly MessageRow[], state: QueueState): Claim {
    const messages = rows.toMessages(held, state)
    return { id: messages[0]?.claimId as string, ttlSeconds: ttl, renewedAt: renewed_at, messages }
  }

  /** Claims these, the first that are visible; null when there are none. */
  function take(state: QueueState, taken: readonly MessageRow[], terms: Terms, now: Instant): Claim | null {
    if (taken.length === 0) return null
    rows.took(state, taken)
    state.last += 1
    const number = state.last
    const claimed = taken.map((row) => {
      const { ttl, expires_at } = lifeUnder(terms, row, now)
      hold.run(NO_CLAIM + number, row.rowid)
      if (expires_at !== row.expires_at) lengthen.run(ttl, expires_at, row.rowid)
      return { ...row, ttl, claim: number, claim_count: row.claim_count + 1 }
    })
    const places = JSON.stringify(taken.map((row) => row.place))
    const endsAt = now + terms.ttlSeconds * 1000
    const { ttlSeconds, key = null, clientId = null } = terms
    insert.run(state.bucket, number, endsAt, ttlSeconds, now, taken.length, places, key, clientId)
    if (endsAt < state.endsAt) state.endsAt = endsAt
    state.free -= taken.length
    state.held += taken.length
    states.touch(state)
    const messages = rows.toMessages(claimed, state)
    return { id: messages[0]?.claimId as string, ttlSeconds: terms.ttlSeconds, renewedAt: now, messages }
  }

  return {
    create: ({ queue, limit, deadLetter, now, ...terms }) =>
      onQueue(queue, now, (state, now) => {
        const earlier = findByKey(state, terms.key)
        if (earlier !== null) return toClaim(earlier, heldBy(earlier, state), state)
        const taken = deadLetters.firstDeliverable(state, limit, deadLetter, now)
        return taken instanceof Unfinished ? taken : take(state, taken, terms, now)
      }),

    exchange: ({ queue, finished, limit, deadLetter, now, ...terms }) =>
      onQueue(queue, now, (state, now): Exchanged | { kept: string[] } | Unfinished => {
        const spots = new Map<string, MessageSpot>()
        const [gone, kept] = [new Set<string>(), new Set<string>()]
        for (const { id, claimId } of finished) {
          const spot = rows.spot(state, id, now)
          if (spot === null) gone.add(id)
          else if (spot.claim === null || spot.claim !== engine.claimNumber(state, claimId)) kept.add(id)
          else spots.set(id, spot)
        }
        if (kept.size > 0) return { kept: [...kept] }
        const earlier = findByKey(state, terms.key)
        if (earlier !== null) {
          const removed = new Set([...spots.values()].map(({ place }) => place))
          const held = heldBy(earlier, state).filter(({ place }) => !removed.has(place))
          if (held.length > 0) {
            settling.consume(state, [...spots.values()], now)
            return { claim: toClaim(earlier, held, state), gone: [...gone] }
          }
        }
        const taken = deadLetters.firstDeliverable(state, limit, deadLetter, now)
        if (taken instanceof Unfinished) return taken
        settling.consume(state, [...spots.values()], now)
        return { claim: take(state, taken, terms, now), gone: [...gone] }
      }),

    get: ({ queue, claimId, now }) =>
      onQueue(queue, now, (state) => {
        const claim = find(state, claimId)
        if (claim === null) return null
        return toClaim(claim, heldBy(claim, state), state)
      }),

    list: ({ queue, after, limit, now }) =>
      onQueue(queue, now, (state) => {
        const from = after === null ? null : engine.claimNumber(state, after)
        const found = behind(limit + 1).all(state.bucket, from ?? 0) as unknown as ListedRow[]
        const page = found.slice(0, limit)
        const ids = engine.sealer.sealAll(page.map(({ number }) => unsealedClaim(number, state)))
        const claims = page.map(
          ({ ttl, renewed_at, holds, client }, i): ListedClaim => ({
            id: ids[i] as string,
            ttlSeconds: ttl,
            renewedAt: renewed_at,
            messages: holds,
            clientId: client,
          }),
        )
        return { claims, marker: found.length > limit ? (ids.at(-1) as string) : null }
      }),

    renew: ({ queue, claimId, now, ...terms }) =>
      onQueue(queue, now, (state, now) => {
        const claim = find(state, claimId)
        if (claim === null) return false
        for (const row of heldBy(claim, state)) {
          const { ttl, expires_at } = lifeUnder(terms, row, now)
          if (expires_at !== row.expires_at) lengthen.run(ttl, expires_at, row.rowid)
        }
        const endsAt = now + terms.ttlSeconds * 1000
        renew.run(endsAt, terms.ttlSeconds, now, state.bucket, claim.number)
        if (endsAt < state.endsAt) state.endsAt = endsAt
        states.touch(state)
        return true
      }),

    release: ({ queue, claimId, now }) =>
      onQueue(queue, now, (state) => {
        const claim = find(state, claimId)
        if (claim !== null) settling.release(state, claim.number, claim.places)
        return undefined
      }),
  }
}

/** A message that would expire before the claim ends lives on for the claim's ttl and grace. (contract http.md 6.6) */
function lifeUnder(terms: Terms, row: MessageRow, now: Instant): { ttl: number; expires_at: Instant } {
  if (row.expires_at >= now + terms.ttlSeconds * 1000) return { ttl: row.ttl, expires_at: row.expires_at }
  const ttl = terms.ttlSeconds + terms.graceSeconds
  return { ttl, expires_at: now + ttl * 1000 }
}
