import assert from 'node:assert/strict'
import type { Claim, QueueHandle, Storage } from 'zaqar/storage'
import { fresh, idsOf, type Scene } from '../scene.ts'
import { allAtOnce } from './all-at-once.ts'
import { ClaimLedger } from './claim-ledger.ts'

const producers = 4
const postsOfEach = 25
const consumers = 12
const roundsOfEach = 20
const claimTtlSeconds = 60

/** What the consumers of one queue share. */
interface Work {
  readonly scene: Scene
  readonly queue: QueueHandle
  readonly ledger: ClaimLedger
  /** Ids of messages whose removal was answered, in that order. */
  readonly consumed: string[]
}

/**
 * Producers post while consumers claim, delete, release, let claims end, and pop. No message is in two live claims at
 * once, and each is consumed exactly once.
 */
export async function consumeTogether(scene: Scene, clients: readonly Storage[]): Promise<void> {
  const work: Work = { scene, queue: await scene.queue(), ledger: new ClaimLedger(), consumed: [] }
  const posting = allAtOnce(producers, clients, (client, producer) => produce(work, client, producer))
  const left = await allAtOnce(consumers, clients, (client, consumer) => consume(work, client, consumer))
  const posted = await posting

  // Nobody is asking now, so claims that were left alone can end.
  for (const claim of left.flat()) work.ledger.end(claim)
  scene.pass(claimTtlSeconds)
  await allAtOnce(consumers, clients, (client) => drain(work, client))

  assert.deepEqual(work.consumed.toSorted(), posted.flat().toSorted(), 'each message is consumed exactly once')
  assert.deepEqual(await scene.stats(work.queue), { free: 0, claimed: 0, oldest: null, newest: null })
}

async function produce({ scene, queue }: Work, client: Storage, producer: number): Promise<string[]> {
  const ids: string[] = []
  for (let post = 0; post < postsOfEach; post += 1) {
    const messages = Array.from({ length: 1 + (post % 4) }, () => ({ body: '0', ttlSeconds: 3600, delaySeconds: 0 }))
    const answer = fresh(await client.messages.append({ queue, clientId: `${producer}`, messages, now: scene.now }))
    assert(answer !== 'conflict')
    ids.push(...answer.ids)
  }
  return ids
}

/** Answers the claims that it left to end by themselves. */
async function consume(work: Work, client: Storage, consumer: number): Promise<Claim[]> {
  const left: Claim[] = []
  for (let round = 0; round < roundsOfEach; round += 1) {
    const kind = (consumer + round) % 5
    if (kind === 0) {
      await pop(work, client)
      continue
    }
    const claim = await take(work, client, 1 + (round % 3))
    if (claim === null) continue
    if (kind === 1) left.push(claim)
    else if (kind === 2) await release(work, client, claim)
    else await finish(work, client, claim)
  }
  return left
}

async function drain(work: Work, client: Storage): Promise<void> {
  for (let claim = await take(work, client, 5); claim !== null; claim = await take(work, client, 5)) {
    await finish(work, client, claim)
  }
}

async function take({ scene, queue, ledger }: Work, client: Storage, limit: number): Promise<Claim | null> {
  const terms = { ttlSeconds: claimTtlSeconds, graceSeconds: 0, deadLetter: null }
  const claim = fresh(await client.claims.create({ queue, limit, ...terms, now: scene.now }))
  if (claim !== null) ledger.begin(claim)
  return claim
}

async function release({ scene, queue, ledger }: Work, client: Storage, claim: Claim): Promise<void> {
  ledger.end(claim)
  fresh(await client.claims.release({ queue, claimId: claim.id, now: scene.now }))
}

/** Deletes the first message by itself and the rest together. */
async function finish({ scene, queue, ledger, consumed }: Work, client: Storage, claim: Claim): Promise<void> {
  const { now } = scene
  const [first, ...rest] = idsOf(claim.messages)
  assert(first !== undefined)
  assert.equal(await client.messages.delete({ queue, id: first, claimId: claim.id, now }), 'deleted')
  const removed = await client.messages.deleteMany({ queue, ids: rest, claimIds: [claim.id], now })
  assert.deepEqual(removed, { deleted: rest.length })
  ledger.end(claim)
  consumed.push(first, ...rest)
}

async function pop({ scene, queue, ledger, consumed }: Work, client: Storage): Promise<void> {
  const popped = fresh(await client.messages.pop({ queue, limit: 2, deadLetter: null, now: scene.now }))
  for (const { id } of popped) {
    ledger.checkUnclaimed(id)
    consumed.push(id)
  }
}
