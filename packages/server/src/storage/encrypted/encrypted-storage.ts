import {
  type ClaimStore,
  type IdempotencyKey,
  type Message,
  type MessageStore,
  type QueueHandle,
  type QueueStore,
  STALE,
  type Storage,
} from '../contract.ts'
import type { MessageCipher } from './message-cipher.ts'

/**
 * Puts encryption around a storage, method by method, so that a new one must be thought of before this compiles: bodies
 * are sealed on their way into a queue that encrypts, and opened on every way out. Only the mark of a body says whether
 * it is sealed, so a queue may change its mind and messages may move between queues. Digests of what was posted are
 * keyed wherever there is a key.
 *
 * A body that cannot be opened makes the move fail with StorageUnavailable: nobody gets ciphertext for a message.
 */
export function encryptedStorage(
  storage: Storage,
  cipher: MessageCipher,
  encrypts: (queue: QueueHandle) => boolean = wantsEncryption,
): Storage {
  return {
    abilities: storage.abilities,
    queues: encryptedQueues(storage.queues, cipher),
    messages: encryptedMessages(storage.messages, cipher, encrypts),
    claims: encryptedClaims(storage.claims, cipher),
    subscriptions: storage.subscriptions,
    pools: storage.pools,
    idKey: storage.idKey,
    weakness: () => storage.weakness(),
    watch: (queue, listener) => storage.watch(queue, listener),
    ping: () => storage.ping(),
    close: () => storage.close(),
  }
}

function wantsEncryption({ isEncrypted }: QueueHandle): boolean {
  return isEncrypted === true
}

function encryptedQueues(queues: QueueStore, cipher: MessageCipher): QueueStore {
  return {
    create: (p) => queues.create(p),
    get: (p) => queues.get(p),
    update: (p) => queues.update(p),
    delete: (p) => queues.delete(p),
    list: (p) => queues.list(p),
    count: (p) => queues.count(p),
    usage: (p) => queues.usage(p),
    async stats(p) {
      const stats = await queues.stats(p)
      if (stats === STALE) return STALE
      const open = (message: Message | null) => message && openMessage(message, p.queue.project, cipher)
      return { ...stats, oldest: open(stats.oldest), newest: open(stats.newest) }
    },
  }
}

function encryptedMessages(
  messages: MessageStore,
  cipher: MessageCipher,
  encrypts: (queue: QueueHandle) => boolean,
): MessageStore {
  const list: MessageStore['list'] = async (p) => {
    const page = await messages.list(p)
    return page === STALE ? STALE : { ...page, messages: openAll(page.messages, p.queue.project, cipher) }
  }
  /** A conflict may mean only that the digest of the same POST was made with an earlier key. */
  const appendOnce = async (p: Parameters<MessageStore['append']>[0] & { idempotency: IdempotencyKey }) => {
    const { digest, key } = p.idempotency
    for (const keyed of cipher.digests(digest, [p.queue.project, key])) {
      const outcome = await messages.append({ ...p, idempotency: { ...p.idempotency, digest: keyed } })
      if (outcome !== 'conflict') return outcome
    }
    return 'conflict'
  }
  return {
    async append(p) {
      const { queue, idempotency } = p
      const seal = (body: string) => cipher.seal(body, queue.project)
      const sealed = encrypts(queue)
        ? { ...p, messages: p.messages.map((one) => ({ ...one, body: seal(one.body) })) }
        : p
      return idempotency === undefined ? messages.append(sealed) : appendOnce({ ...sealed, idempotency })
    },
    list,
    async get(p) {
      const found = await messages.get(p)
      return found === STALE ? STALE : openAll(found, p.queue.project, cipher)
    },
    async pop(p) {
      if (encrypts(p.queue)) await list({ ...p, ...FIRST_UNCLAIMED })
      const popped = await messages.pop(p)
      return popped === STALE ? STALE : openAll(popped, p.queue.project, cipher)
    },
    delete: (p) => messages.delete(p),
    deleteMany: (p) => messages.deleteMany(p),
    purge: (p) => messages.purge(p),
    redrive: (p) => messages.redrive(p),
    end: (p) => messages.end(p),
    // What is sealed stays sealed on its way.
    export: (p) => messages.export(p),
    import: (p) => messages.import(p),
    departures: (p) => messages.departures(p),
    departed: (p) => messages.departed(p),
  }
}

/**
 * What a pop is about to remove. It is opened before: what is gone from the store cannot be tried again with the right
 * key.
 */
const FIRST_UNCLAIMED = { after: null, hideClientId: null, includeClaimed: false, includeDelayed: false }

function encryptedClaims(claims: ClaimStore, cipher: MessageCipher): ClaimStore {
  const open = <T extends { readonly messages: readonly Message[] }>(claim: T | null, project: string) =>
    claim && { ...claim, messages: openAll(claim.messages, project, cipher) }
  return {
    async create(p) {
      const claim = await claims.create(p)
      return claim === STALE ? STALE : open(claim, p.queue.project)
    },
    async exchange(p) {
      const answer = await claims.exchange(p)
      if (answer === STALE || 'kept' in answer) return answer
      return { ...answer, claim: open(answer.claim, p.queue.project) }
    },
    async get(p) {
      const claim = await claims.get(p)
      return claim === STALE ? STALE : open(claim, p.queue.project)
    },
    renew: (p) => claims.renew(p),
    release: (p) => claims.release(p),
  }
}

function openAll(messages: readonly Message[], project: string, cipher: MessageCipher): Message[] {
  return messages.map((message) => openMessage(message, project, cipher))
}

function openMessage(message: Message, project: string, cipher: MessageCipher): Message {
  const body = cipher.open(message.body, project)
  return body === message.body ? message : { ...message, body }
}
