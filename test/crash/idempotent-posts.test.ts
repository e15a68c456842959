import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { CLIENT_ID, PROJECT } from '../../packages/server/test/support/test-client.ts'
import { type Service, startService } from '../support/service.ts'

const KILLS = 3
const LONGEST_ROUND_MS = 300
const POSTS_IN_A_ROUND = 200
const MESSAGES = '/v2/queues/jobs/messages'
const HEADERS = { 'Client-ID': CLIENT_ID, 'X-Project-Id': PROJECT, 'Content-Type': 'application/json' }

test('a POST with a key is stored once, however often it is tried at once, before and after kill -9', async (t) => {
  // Stays when the test fails.
  const dataDir = mkdtempSync(join(tmpdir(), 'zaqar-crash-'))
  const start = async () => {
    const service = await startService({ dataDir, config: '[transport]\nmax_messages_per_page = 1000\n' })
    t.after(() => service.kill())
    return service
  }
  const answers = new Map<string, string>()
  let answeredBefore = 0
  for (let round = 0; round < KILLS; round++) {
    const keys = Array.from({ length: POSTS_IN_A_ROUND }, (_, index) => `round ${round} post ${index}`)
    const doomed = await start()
    const tries = Promise.all(keys.flatMap((key) => [post(doomed, key, answers), post(doomed, key, answers)]))
    await sleep(Math.random() * LONGEST_ROUND_MS)
    await doomed.kill()
    await tries
    answeredBefore += answers.size - round * POSTS_IN_A_ROUND
    const service = await start()
    await Promise.all(keys.flatMap((key) => [post(service, key, answers), post(service, key, answers)]))
    assert.equal(answers.size, (round + 1) * POSTS_IN_A_ROUND)
    await service.stop()
  }
  const service = await start()
  assert.deepEqual((await stored(service)).sort(), [...answers.keys()].sort())
  await service.stop()
  t.diagnostic(`${answeredBefore} of ${answers.size} posts were answered before their server was killed`)
  rmSync(dataDir, { recursive: true })
})

/** Whoever got an answer to the same key before, got this one. A server that dies answers nothing. */
async function post({ url }: Service, key: string, answers: Map<string, string>): Promise<void> {
  const headers = { ...HEADERS, 'Idempotency-Key': key }
  const body = JSON.stringify({ messages: [{ body: key }] })
  const answer = await fetch(`${url}${MESSAGES}`, { method: 'POST', headers, body })
    .then(async (response) => ({ status: response.status, text: await response.text() }))
    .catch(() => null)
  if (answer === null) return
  assert.equal(answer.status, 201, answer.text)
  assert.equal(answers.get(key) ?? answer.text, answer.text, key)
  answers.set(key, answer.text)
}

async function stored({ url }: Service): Promise<string[]> {
  const bodies: string[] = []
  for (let next = `${MESSAGES}?echo=true&limit=1000`; ; ) {
    const response = await fetch(`${url}${next}`, { headers: HEADERS })
    const { messages, links } = (await response.json()) as { messages: { body: string }[]; links: { href: string }[] }
    if (messages.length === 0) return bodies
    bodies.push(...messages.map(({ body }) => body))
    next = links[0]?.href as string
  }
}
