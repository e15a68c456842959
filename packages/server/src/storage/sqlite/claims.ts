import type { Claim, Instant } from '../../model/model.ts'
import type { ClaimStore } from '../contract.ts'
import { instantBits } from '../sealed-id.ts'
import { DeadLetters } from './dead-letters.ts'
import type { Engine } from './engine.ts'
import type { MessageRow } from './message-rows.ts'
import type { QueueState } from './queue-states.ts'
import { Unfinished } from './turns.ts'

interface ClaimRow {
  number: number
  ttl: number
  created_at: Instant
  renewed_at: Instant
  taken: string
}

interface Terms {
  readonly ttlSeconds: number
  readonly graceSeconds: number
}

export function createClaimStore(engine: Engine): ClaimStore {
  const { db, states, numbers, sealer, rows, settling, watchers, onQueue } = engine
  const deadLetters = new DeadLetters(engine)
  const hold = db.prepare('UPDATE messages SET held = 1, claim = ?, claim_count = claim_count + 1 WHERE number = ?')
  // Apart, since naming the expiry makes SQLite rewrite its index entry, whether it changes or not.
  const lengthen = db.prepare('UPDATE messages SET ttl = ?, expires_at = ? WHERE number = ?')
  const insert = db.prepare(
    `INSERT INTO claims (number, bucket, expires_at, ttl, created_at, renewed_at, holds, taken)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const select = db.prepare(
    'SELECT number, ttl, created_at, renewed_at, taken FROM claims WHERE number = ? AND bucket = ? AND created_at = ?',
  )
  const renew = db.prepare('UPDATE claims SET expires_at = ?, ttl = ?, renewed_at = ? WHERE number = ?')

  function find(state: QueueState, claimId: string): ClaimRow | null {
    const opened = sealer.open('claim', claimId)
    if (opened === null || opened.createdAtBits !== instantBits(state.bucket)) return null
    return (select.get(opened.number, state.bucket, opened.incarnation) as unknown as ClaimRow | undefined) ?? null
  }

  function held(state: QueueState, claim: ClaimRow): MessageRow[] {
    return (JSON.parse(claim.taken) as number[])
      .map((number) => rows.byNumber(state.bucket, number))
      .filter((row) => row !== null && row.claim === claim.number) as MessageRow[]
  }

  return {
    create: ({ queue, limit, deadLetter, now, ...terms }) =>
      onQueue(queue, now, (state, now): Claim | null | Unfinished => {
        const taken = deadLetters.firstDeliverable(state, limit, deadLetter, now)
        if (taken instanceof Unfinished) return taken
        if (taken.length === 0) return null
        const number = numbers.take(1)
        const { bucket } = state
        const endsAt = now + terms.ttlSeconds * 1000
        const claimed = taken.map((row) => {
          const { ttl, expires_at } = lifeUnder(terms, row, now)
          hold.run(number, row.number)
          if (expires_at !== row.expires_at) lengthen.run(ttl, expires_at, row.number)
          return {
            ...row,
            ttl,
            claim: number,
            claimed_at: now,
            claim_count: row.claim_count + 1,
          }
        })
        const members = JSON.stringify(taken.map((row) => row.number))
        insert.run(number, bucket, endsAt, terms.ttlSeconds, now, now, taken.length, members)
        state.free -= taken.length
        state.claimed += taken.length
        if (endsAt < state.nextEnd) state.nextEnd = endsAt
        states.touch(state)
        watchers.reconsider(state.key)
        const messages = rows.toMessages(claimed, bucket)
        return { id: messages[0]?.claimId as string, ttlSeconds: terms.ttlSeconds, renewedAt: now, messages }
      }),

    get: ({ queue, claimId, now }) =>
      onQueue(queue, now, (state) => {
        const claim = find(state, claimId)
        if (claim === null) return null
        const messages = rows.toMessages(held(state, claim), state.bucket)
        return {
          id: claimId,
          ttlSeconds: claim.ttl,
          renewedAt: claim.renewed_at,
          messages,
        }
      }),

    renew: ({ queue, claimId, now, ...terms }) =>
      onQueue(queue, now, (state, now) => {
        const claim = find(state, claimId)
        if (claim === null) return false
        for (const row of held(state, claim)) {
          const { ttl, expires_at } = lifeUnder(terms, row, now)
          if (expires_at !== row.expires_at) lengthen.run(ttl, expires_at, row.number)
        }
        const endsAt = now + terms.ttlSeconds * 1000
        renew.run(endsAt, terms.ttlSeconds, now, claim.number)
        if (endsAt < state.nextEnd) state.nextEnd = endsAt
        // The counts stay, but the instant that was acted on has to be kept.
        states.touch(state)
        watchers.reconsider(state.key)
        return true
      }),

    release: ({ queue, claimId, now }) =>
      onQueue(queue, now, (state) => {
        const claim = find(state, claimId)
        if (claim !== null) settling.release(state, claim.number, claim.taken)
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
