import assert from 'node:assert/strict'
import { PROJECT, TestClient } from '../../packages/server/test/support/test-client.ts'
import { sendOverHttp } from '../support/send-over-http.ts'
import { type History, keyOf, type Mark } from './history.ts'
import { KEPT, POPPED, WORKED } from './load.ts'

interface Listed {
  readonly key: string
  readonly mark: Mark
  /** Path of the claim that holds it, or null. */
  readonly claim: string | null
}

/** Compares what the service has with what its clients were told before it went away. */
export async function checkHistory(url: string, history: History, project = PROJECT): Promise<void> {
  const send = sendOverHttp(url)
  const client = new TestClient(send).with({ 'X-Project-Id': project })
  try {
    for (const queue of [KEPT, WORKED, POPPED]) {
      const listed = await listAll(client, queue)
      checkOnceAndInOrder(listed, queue)
      checkNothingLost(listed, history, queue)
      checkAllOrNone(listed, history, queue)
      checkNothingReturned(listed, history, queue)
      await checkStats(client, listed, queue)
      if (queue === WORKED) await checkClaims(client, listed, history)
    }
  } finally {
    send.close()
  }
}

/** Follows the links from the first page to the empty one. */
async function listAll(client: TestClient, queue: string): Promise<Listed[]> {
  const all: Listed[] = []
  for (let href = `/v2/queues/${queue}/messages?limit=1000&echo=true&include_claimed=true`; ; ) {
    const answer = await client.get(href)
    assert.equal(answer.status, 200, answer.text)
    const page = JSON.parse(answer.text) as { messages: { href: string; body: Mark }[]; links: { href: string }[] }
    for (const { href, body } of page.messages) all.push({ key: keyOf(body), mark: body, claim: claimIn(href, queue) })
    if (page.links.length === 0) return all
    href = page.links[0]?.href as string
  }
}

function claimIn(href: string, queue: string): string | null {
  const [, id] = href.split('?claim_id=')
  return id === undefined ? null : `/v2/queues/${queue}/claims/${id}`
}

function checkOnceAndInOrder(listed: readonly Listed[], queue: string): void {
  const latest = new Map<string, number>()
  for (const { key, mark } of listed) {
    const before = latest.get(mark.writer) ?? -1
    assert.ok(mark.number > before, `${queue}: ${key} comes again or too late, after number ${before}`)
    latest.set(mark.writer, mark.number)
  }
}

function checkNothingLost(listed: readonly Listed[], history: History, queue: string): void {
  const there = new Set(listed.map(({ key }) => key))
  const acknowledged = history.batchesOf(queue).filter(({ outcome }) => outcome === 'acknowledged')
  const missing = acknowledged
    .flatMap(({ keys }) => keys)
    .filter((key) => !there.has(key) && !history.deletions.has(key))
  const allowed = history.unansweredPops.get(queue) ?? 0
  assert.ok(
    missing.length <= allowed,
    `${queue}: lost ${missing.slice(0, 5)}, ${missing.length} in all; ${allowed} may be missing`,
  )
}

/** A POST that was not answered has stored all of its messages or none. Only where none of them can have gone since. */
function checkAllOrNone(listed: readonly Listed[], history: History, queue: string): void {
  const there = new Set(listed.map(({ key }) => key))
  const known = new Set<string>()
  for (const { keys, outcome } of history.batchesOf(queue)) {
    for (const key of keys) known.add(key)
    if (queue !== KEPT || outcome === 'acknowledged') continue
    const stored = keys.filter((key) => there.has(key)).length
    assert.ok(
      stored === 0 || stored === keys.length,
      `${queue}: ${stored} of the ${keys.length} messages of a POST are there`,
    )
  }
  const invented = listed.find(({ key }) => !known.has(key))
  assert.equal(invented, undefined, `${queue} has a message that nobody has posted`)
}

function checkNothingReturned(listed: readonly Listed[], history: History, queue: string): void {
  const returned = listed.filter(({ key }) => history.deletions.get(key) === 'acknowledged')
  assert.deepEqual(returned, [], `${queue}: messages have returned that were deleted`)
}

async function checkStats(client: TestClient, listed: readonly Listed[], queue: string): Promise<void> {
  const { claimed, free, total } = JSON.parse((await client.get(`/v2/queues/${queue}/stats`)).text).messages
  const held = listed.filter(({ claim }) => claim !== null).length
  assert.deepEqual({ claimed, free, total }, { claimed: held, free: listed.length - held, total: listed.length }, queue)
}

/** Every claim that was answered holds what it held, but for what was deleted, and nothing else. */
async function checkClaims(client: TestClient, listed: readonly Listed[], history: History): Promise<void> {
  const holder = new Map(listed.map(({ key, claim }) => [key, claim]))
  for (const { href, keys } of history.claims.values()) {
    const certain = [...keys].filter((key) => !history.deletions.has(key))
    for (const key of certain) assert.equal(holder.get(key), href, `${key} has left its claim`)
  }
  // Asking for each claim would take longer than all the rest; those with the most to lose are the ones that still hold
  // something.
  const holding = [...history.claims.values()].filter(({ keys }) =>
    [...keys].some((key) => !history.deletions.has(key)),
  )
  for (const { href, keys } of holding.slice(-50)) {
    const answer = await client.get(href)
    assert.equal(answer.status, 200, `${href}: ${answer.text}`)
    const shown = (JSON.parse(answer.text).messages as { body: Mark }[]).map(({ body }) => keyOf(body))
    for (const key of shown)
      assert.ok(keys.has(key) && history.deletions.get(key) !== 'acknowledged', `${href} shows ${key}`)
    for (const key of keys) assert.ok(shown.includes(key) || history.deletions.has(key), `${href} has lost ${key}`)
  }
}
