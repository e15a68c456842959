import {
  type ClaimStore,
  type DeliveryStore,
  type IdempotencyKey,
  type Instant,
  type Lease,
  type Message,
  type MessageStore,
  type Notification,
  type NotifiedMessage,
  type QueueHandle,
  type QueueStore,
  STALE,
  type Storage,
  StorageUnavailable,
  type Subscription,
  type SubscriptionStore,
} from '../contract.ts'
import type { MessageCipher } from './message-cipher.ts'

/**
 * Puts encryption around a storage, method by method, so that a new one must be thought of before this compiles: bodies
 * are sealed on their way into a queue that encrypts, and opened on every way out. Only the mark of a body says whether
 * it is sealed, so a queue may change its mind and messages may move between queues. Digests of what was posted are
 * keyed wherever there is a key.
 *
 * A body that cannot be opened makes the move fail with StorageUnavailable: nobody gets ciphertext for a message. Only
 * leases are made without it, since one message must not keep all others from their subscribers. What waits to be
 * delivered waits as it is stored.
 *
 * What the service keeps for itself about subscriptions is sealed wherever there is a key.
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
    subscriptions: encryptedSubscriptions(storage.subscriptions, cipher),
    deliveries: encryptedDeliveries(storage.deliveries, cipher),
    pools: storage.pools,
    placements: storage.placements,
    relocations: storage.relocations,
    idKey: storage.idKey,
    weakness: () => storage.weakness(),
    watch: (queue, listener) => storage.watch(queue, listener),
    watchSubscriptions: (queue, listener) => storage.watchSubscriptions(queue, listener),
    keepGone: (queue) => storage.keepGone(queue),
    watchWork: (listener) => storage.watchWork(listener),
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
    origins: (p) => messages.origins(p),
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
    list: (p) => claims.list(p),
    renew: (p) => claims.renew(p),
    release: (p) => claims.release(p),
  }
}

function encryptedSubscriptions(subscriptions: SubscriptionStore, cipher: MessageCipher): SubscriptionStore {
  const seal = (vault: string | null, project: string, id: string) =>
    vault !== null && cipher.hasKey ? cipher.seal(vault, vaultOf(project, id)) : vault
  return {
    async create(p) {
      const { project } = p.queue
      const answer = await subscriptions.create({ ...p, vault: seal(p.vault, project, p.id) })
      return answer === STALE
        ? STALE
        : { ...answer, subscription: openSubscription(answer.subscription, project, cipher) }
    },
    async get(p) {
      const found = await subscriptions.get(p)
      return found === STALE || found === null ? found : openSubscription(found, p.queue.project, cipher)
    },
    async list(p) {
      const page = await subscriptions.list(p)
      return page === STALE ? STALE : page.map((one) => openSubscription(one, p.queue.project, cipher))
    },
    update: (p) =>
      subscriptions.update(p.vault === undefined ? p : { ...p, vault: seal(p.vault, p.queue.project, p.id) }),
    confirm: (p) => subscriptions.confirm(p),
    delete: (p) => subscriptions.delete(p),
    purge: (p) => subscriptions.purge(p),
  }
}

/** For so long a subscription is left alone of which something cannot be opened. */
const REST_MILLISECONDS = 60_000
/** More than any subscription has. */
const KEEP_ALL = 1_000_000

function encryptedDeliveries(deliveries: DeliveryStore, cipher: MessageCipher): DeliveryStore {
  /** It would be told in nobody's name, unsigned. What it is owed waits for the right key. */
  const rest = async (lease: Lease, now: Instant): Promise<void> => {
    const pausedUntil = now + REST_MILLISECONDS
    const { failures, failingSince } = lease.subscription.health ?? { failures: 0, failingSince: now }
    const health = { failures: failures + 1, failingSince, pausedUntil }
    const unchanged = { outcomes: [], log: [], keep: { log: KEEP_ALL, failures: KEEP_ALL }, next: null }
    // Where that fails the lease ends of itself, and those that came with it must not be lost.
    await deliveries.settle({ lease, ...unchanged, health, restsUntil: pausedUntil, now }).catch(() => undefined)
  }
  return {
    async lease(p) {
      const leased = await deliveries.lease(p)
      const leases: Lease[] = []
      let { next } = leased
      for (const lease of leased.leases) {
        const opened = openLease(lease, cipher)
        if (opened !== null) leases.push(opened)
        else {
          await rest(lease, p.now)
          next = Math.min(next ?? Number.POSITIVE_INFINITY, p.now + REST_MILLISECONDS)
        }
      }
      return { leases, next }
    },
    async settle(p) {
      const answer = await deliveries.settle(p)
      if (answer === 'lost') return 'lost'
      const { subscription, notifications } = answer
      const lease = { ...p.lease, subscription, notifications }
      const opened = openLease(lease, cipher)
      if (opened !== null) return { ...answer, subscription: opened.subscription, notifications: opened.notifications }
      // Where it has ended already, that is lost, and whoever leases it next lets it rest.
      await rest(lease, p.now)
      return { subscription: { ...subscription, vault: null }, notifications: [], endsAt: p.now }
    },
    announce: (p) => deliveries.announce(p),
    async failures(p) {
      const page = await deliveries.failures(p)
      if (page === STALE || page === null) return page
      const failures = page.failures.map((failure) => ({
        ...failure,
        message: openOrEmpty(failure.message, p.queue.project, cipher),
      }))
      return { ...page, failures }
    },
    replay: (p) => deliveries.replay(p),
    log: (p) => deliveries.log(p),
  }
}

/** Null where what belongs to the subscription cannot be opened. */
function openLease(lease: Lease, cipher: MessageCipher): Lease | null {
  const { project } = lease.queue
  const subscription = orNull(() => openSubscription(lease.subscription, project, cipher))
  const notifications = lease.notifications.map((one) => openNotification(one, project, cipher))
  return subscription && { ...lease, subscription, notifications }
}

function openNotification(notification: Notification, project: string, cipher: MessageCipher): Notification {
  const { content } = notification
  if (content.kind === 'announcement') return notification
  return { ...notification, content: { kind: 'message', message: openOrEmpty(content.message, project, cipher) } }
}

function openOrEmpty(message: NotifiedMessage, project: string, cipher: MessageCipher): NotifiedMessage {
  return orNull(() => openMessage(message, project, cipher)) ?? { ...message, body: '' }
}

/** Null where it cannot be opened. */
function orNull<T>(open: () => T): T | null {
  try {
    return open()
  } catch (error) {
    if (error instanceof StorageUnavailable) return null
    throw error
  }
}

function openSubscription(subscription: Subscription, project: string, cipher: MessageCipher): Subscription {
  const { id, vault } = subscription
  return vault === null ? subscription : { ...subscription, vault: cipher.open(vault, vaultOf(project, id)) }
}

/** For what it is sealed: put into another subscription it does not open, nor does it pass for a message. */
function vaultOf(project: string, id: string): string {
  return JSON.stringify(['vault', project, id])
}

function openAll(messages: readonly Message[], project: string, cipher: MessageCipher): Message[] {
  return messages.map((message) => openMessage(message, project, cipher))
}

function openMessage<T extends { readonly body: string }>(message: T, project: string, cipher: MessageCipher): T {
  const body = cipher.open(message.body, project)
  return body === message.body ? message : { ...message, body }
}
