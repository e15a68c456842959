import { membersOf, objectText } from '../../../model/members.ts'
import type { Instant, QueueKey, Subscription } from '../../../model/model.ts'
import { type QueueHandle, StorageUnavailable } from '../../../storage/contract.ts'
import { ZaqarError } from '../../errors.ts'
import type { Context } from '../../execute.ts'
import { schemeOf } from '../../rules/subscriber.ts'
import { isTrusted, withoutTrust } from '../../rules/trusted-subscriber.ts'
import { optionsDigest, printVault, readVault, type Secret, type Trust } from '../../rules/vault.ts'

/** Where owners see the id of the trust. (contract notifications.md 8) */
const TRUST_ID = 'trust_id'
const PAGE = 100

/** One that is not bound to options yet. */
type MadeTrust = Omit<Trust, 'options'>

interface Terms {
  readonly subscriber: string
  /** JSON text of an object. */
  readonly options: string
  readonly expiresAt: Instant
}

/**
 * Makes the trust that the subscriber needs, and then the subscription by `create`. It ends again when there is no new
 * subscription.
 * @throws ZaqarError
 */
export async function createTrusted<Answer extends { readonly created: boolean }>(
  { subscriber, options, expiresAt }: Terms,
  create: (kept: { options: string; vault: string | null }) => Promise<Answer>,
  ctx: Context,
): Promise<Answer> {
  if (!isTrusted(subscriber)) return create({ options, vault: null })
  checkTrustId(options, null)
  const trust = await makeTrust(subscriber, expiresAt, ctx)
  const kept = bound(trust, options, [])
  return keptIf(
    ({ created }) => created,
    trust,
    () => create(kept),
    ctx,
  )
}

/** Those of an update, as they are stored. */
export interface Changes {
  readonly subscriber?: string | undefined
  /** JSON text of an object. */
  readonly options?: string | undefined
  readonly ttlSeconds?: number | undefined
  readonly vault?: string | null | undefined
}

export type Updated = 'updated' | 'absent' | 'conflict'

/**
 * Changes the subscription by `update`, and its trust with it: it ends where the subscriber needs none any more, and a
 * new one takes its place where another subscriber is told, for another time, or what another user wants to be told.
 * @throws ZaqarError
 */
export async function updateTrusted(
  stored: Subscription,
  changes: Changes,
  update: (changes: Changes) => Promise<Updated>,
  ctx: Context,
  secretsNow: () => Promise<readonly Secret[]>,
): Promise<Updated> {
  const vault = readVault(stored.vault)
  const before = vault.trust
  const { subscriber = stored.subscriber, options = stored.options, ttlSeconds } = changes
  if (!isTrusted(subscriber)) {
    if (before === null) return update(changes)
    const options = withoutTrustId(changes.options ?? stored.options, before.id)
    return replacing(before, () => update({ ...changes, options, vault: printVault({ ...vault, trust: null }) }), ctx)
  }
  if (changes.options !== undefined) checkTrustId(changes.options, before?.id ?? null)
  if (
    before !== null &&
    isOfAnother(before, ctx) &&
    (changes.subscriber === undefined || changes.options === undefined)
  ) {
    if (ctx.token() === null) throw new ZaqarError('trust.needs_token', { type: schemeOf(subscriber) })
    throw new ZaqarError('trust.of_another')
  }
  if (before !== null && isGoodFor(before, subscriber, changes, ctx)) {
    return update({ ...changes, ...bound(before, options, vault.secrets) })
  }
  const expiresAt = ttlSeconds === undefined ? stored.renewedAt + stored.ttlSeconds * 1000 : ctx.now + ttlSeconds * 1000
  const trust = await makeTrust(subscriber, expiresAt, ctx)
  // Keystone took its time: a secret may have been made meanwhile.
  const replace = async () => {
    const kept = { ...changes, ...bound(trust, options, await secretsNow()) }
    return replacing(before, () => update(kept), ctx)
  }
  return keptIf((outcome) => outcome === 'updated', trust, replace, ctx)
}

/** A trust cannot be prolonged, and is for one address. */
function isGoodFor(trust: Trust, subscriber: string, { ttlSeconds }: Changes, ctx: Context): boolean {
  return trust.subscriber === subscriber && ttlSeconds === undefined && !isOfAnother(trust, ctx)
}

/**
 * Whoever changes what is sent in the name of another takes it over, and has to say all of it: where it goes, and what it
 * says. Otherwise one of the two would act with what the other may do.
 */
function isOfAnother({ trustorId }: Trust, { caller }: Context): boolean {
  return trustorId !== caller.userId
}

/** A trust and the options that it is good with, which belong together. */
function bound(
  trust: MadeTrust,
  options: string,
  secrets: readonly Secret[],
): { options: string; vault: string | null } {
  const text = withTrustId(options, trust.id)
  return { options: text, vault: printVault({ secrets, trust: { ...trust, options: optionsDigest(text) } }) }
}

async function makeTrust(
  subscriber: string,
  expiresAt: Instant,
  { trusts, token, caller }: Context,
): Promise<MadeTrust> {
  const type = schemeOf(subscriber)
  if (trusts === null) throw new ZaqarError('subscription.trust_unavailable', { type })
  const own = token()
  if (own === null) throw new ZaqarError('trust.needs_token', { type })
  const id = await trusts.create({ token: own, url: withoutTrust(subscriber), expiresAt })
  return { id, subscriber, trustorId: caller.userId }
}

/** The trust ends where it was made in vain. */
async function keptIf<Answer>(
  isKept: (answer: Answer) => boolean,
  { id }: MadeTrust,
  store: () => Promise<Answer>,
  { trusts }: Context,
): Promise<Answer> {
  try {
    const answer = await store()
    if (!isKept(answer)) trusts?.discard(id)
    return answer
  } catch (error) {
    // A store that fails may have stored it: better a trust that nobody uses until it expires than a subscription
    // without one.
    if (!(error instanceof StorageUnavailable)) trusts?.discard(id)
    throw error
  }
}

/** The trust ends where the update leaves it behind. */
async function replacing(before: Trust | null, update: () => Promise<Updated>, { trusts }: Context): Promise<Updated> {
  const outcome = await update()
  if (outcome === 'updated' && before !== null) trusts?.discard(before.id)
  return outcome
}

/** Removes subscriptions by `remove`, and ends their trusts: of all subscriptions of the queue, or of one. */
export async function removeTrusted(
  key: QueueKey,
  id: string | null,
  remove: () => Promise<unknown>,
  ctx: Context,
): Promise<void> {
  const { trusts } = ctx
  const ids = trusts === null ? [] : id === null ? await trustsIn(key, ctx) : await trustsOfOne(key, id, ctx)
  await remove()
  for (const trustId of ids) trusts?.discard(trustId)
}

async function trustsOfOne(key: QueueKey, id: string, { now, queues, storage }: Context): Promise<string[]> {
  const subscription = await queues.use(key, now, (queue) => storage.subscriptions.get({ queue, id, now }))
  return subscription === null ? [] : trustIds(subscription)
}

async function trustsIn(key: QueueKey, { now, queues, storage }: Context): Promise<string[]> {
  const found: string[] = []
  for (let after: string | null = null; ; ) {
    const from: string | null = after
    const list = (queue: QueueHandle) => storage.subscriptions.list({ queue, after: from, limit: PAGE, now })
    const page: Subscription[] = (await queues.use(key, now, list)) ?? []
    found.push(...page.flatMap(trustIds))
    if (page.length < PAGE) return found
    after = page.at(-1)?.id ?? null
  }
}

/** None or one. */
function trustIds({ vault }: Subscription): string[] {
  const { trust } = readVault(vault)
  return trust === null ? [] : [trust.id]
}

/** @throws ZaqarError where the options name another trust than the one that the service has made */
function checkTrustId(options: string, own: string | null): void {
  const given = membersOf(options).get(TRUST_ID)
  if (given !== undefined && given !== JSON.stringify(own)) throw new ZaqarError('trust.given')
}

function withTrustId(options: string, id: string): string {
  return objectText(membersOf(options).set(TRUST_ID, JSON.stringify(id)))
}

function withoutTrustId(options: string, id: string): string {
  const members = membersOf(options)
  if (members.get(TRUST_ID) === JSON.stringify(id)) members.delete(TRUST_ID)
  return objectText(members)
}
