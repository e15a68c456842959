import { type ClaimStore, type Message, type MessageStore, STALE, type Storage } from '../contract.ts'
import { checksumOf } from './checksum.ts'

/** Characters of bodies after which others get their turn: some two milliseconds. */
const SLICE = 262_144

/**
 * Puts checksums on the messages that a storage hands out. They are made here rather than where they are printed,
 * because a page of long bodies takes too long for one piece. `storage` has plain methods, as `encryptedStorage` makes
 * them.
 */
export function checksummedStorage(storage: Storage): Storage {
  return {
    ...storage,
    messages: { ...storage.messages, ...checksummedReads(storage.messages) },
    claims: { ...storage.claims, ...checksummedClaims(storage.claims) },
  }
}

function checksummedReads(messages: MessageStore): Pick<MessageStore, 'list' | 'get' | 'pop'> {
  return {
    async list(p) {
      const page = await messages.list(p)
      return page === STALE ? STALE : { ...page, messages: await withChecksums(page.messages) }
    },
    async get(p) {
      const found = await messages.get(p)
      return found === STALE ? STALE : withChecksums(found)
    },
    async pop(p) {
      const popped = await messages.pop(p)
      return popped === STALE ? STALE : withChecksums(popped)
    },
  }
}

function checksummedClaims(claims: ClaimStore): Pick<ClaimStore, 'create' | 'exchange' | 'get'> {
  const checksummed = async <T extends { readonly messages: readonly Message[] }>(claim: T | null) =>
    claim && { ...claim, messages: await withChecksums(claim.messages) }
  return {
    async create(p) {
      const claim = await claims.create(p)
      return claim === STALE ? STALE : checksummed(claim)
    },
    async exchange(p) {
      const answer = await claims.exchange(p)
      if (answer === STALE || 'kept' in answer) return answer
      return { ...answer, claim: await checksummed(answer.claim) }
    },
    async get(p) {
      const claim = await claims.get(p)
      return claim === STALE ? STALE : checksummed(claim)
    },
  }
}

async function withChecksums(messages: readonly Message[]): Promise<Message[]> {
  const done: Message[] = []
  let characters = 0
  for (const message of messages) {
    if (characters >= SLICE) {
      await new Promise((resolve) => setImmediate(resolve))
      characters = 0
    }
    done.push({ ...message, checksum: checksumOf(message.body) })
    characters += message.body.length
  }
  return done
}
