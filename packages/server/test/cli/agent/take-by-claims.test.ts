import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  ClaimLost,
  type ConsumeOptions,
  Forbidden,
  type Message,
  type MessageHandler,
  NotFound,
  Unreachable,
} from 'zaqar-client'
import { SignatureRefused } from '../../../src/cli/agent/keep-asking.ts'
import { takeByClaims } from '../../../src/cli/agent/take-by-claims.ts'
import { AgentEnds, type Taking } from '../../../src/cli/agent/taking.ts'
import { type Outcome, Worker } from '../../../src/cli/agent/worker.ts'
import { createSystemClock } from '../../../src/platform/system-clock.ts'

const message: Message = { id: 'm', href: '/v2/queues/jobs/messages/m?claim_id=c', ttl: 300, age: 0, body: 'a' }

/** An agent whose consumer is this test. */
function start(command: string, post: (outcome: Outcome) => Promise<string> = async () => '') {
  const [stopping, aborting] = [new AbortController(), new AbortController()]
  const ended = Promise.withResolvers<void>()
  const lines: string[] = []
  let handler: MessageHandler<unknown> = () => {}
  let options: ConsumeOptions = {}
  const queue = {
    consume(given: MessageHandler<unknown>, terms: ConsumeOptions) {
      handler = given
      options = terms
      return { ended: ended.promise, stop: async () => ended.resolve() }
    },
  }
  const common = { clock: createSystemClock(), log: (line: string) => lines.push(line) }
  const worker = new Worker({
    ...common,
    command,
    timeoutSeconds: 60,
    queue: 'jobs',
    reply: { post: (body) => post(body as Outcome) },
    killing: new AbortController().signal,
    env: process.env,
  })
  const signals = { stopping: stopping.signal, aborting: aborting.signal }
  const taking = { ...common, ...signals, queue, worker, concurrency: 2 } as unknown as Taking
  return {
    taken: takeByClaims(taking, 120),
    lines,
    options: () => options,
    handle: async (signal = new AbortController().signal) => handler(message, { claimId: 'c', signal }),
    end() {
      stopping.abort(new AgentEnds())
      aborting.abort(new AgentEnds())
    },
  }
}

test('nothing is claimed ahead, and a claim lives as long as it is said', async () => {
  const { options, end, taken } = start('true')
  assert.partialDeepStrictEqual(options(), { concurrency: 2, prefetch: 2, ttl: 120 })
  end()
  await taken
})

test('a command whose claim is lost is ended, and its message goes back', async () => {
  const posted: Outcome[] = []
  const agent = start('sleep 300', async (outcome) => String(posted.push(outcome)))
  const lost = new AbortController()
  const handled = agent.handle(lost.signal)
  lost.abort(new Error('lost'))
  await assert.rejects(handled, { name: 'GivenBack' })
  assert.deepEqual(posted, [])
  agent.end()
  await agent.taken
})

test('a command that had come to its end is not run again, when its claim was lost while its outcome was posted', async () => {
  const posted: Outcome[] = []
  const lost = new AbortController()
  const agent = start('true', async (outcome) => {
    lost.abort(new Error('lost'))
    return String(posted.push(outcome))
  })
  await agent.handle(lost.signal)
  await agent.handle()
  assert.equal(posted.length, 1)
  agent.end()
  await agent.taken
})

test('an outcome is posted until it is taken', async () => {
  let tries = 0
  const agent = start('exit 4', async () => {
    tries += 1
    if (tries === 1) throw new Forbidden('forbidden', 'The project has too many messages.')
    return ''
  })
  await agent.handle()
  assert.equal(tries, 2)
  agent.end()
  await agent.taken
})

test('signed values that are not accepted, for messages or for outcomes, end it, and what runs', async () => {
  const refusal = new NotFound('not_found', '404 Not Found', { status: 404, title: '404 Not Found' })
  const agent = start('sleep 300')
  const running = agent.handle()
  agent.options().onError?.(refusal, null)
  await Promise.all([assert.rejects(agent.taken, SignatureRefused), assert.rejects(running, { name: 'GivenBack' })])

  const other = start('true', async () => Promise.reject(refusal))
  const error = await other.handle().catch((error: unknown) => error)
  other.options().onError?.(error, message)
  await assert.rejects(other.taken, SignatureRefused)
})

test('other troubles are told, with the message that they are about', () => {
  const { options, lines, end } = start('true')
  const cause = new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED 127.0.0.1:1') })
  options().onError?.(new ClaimLost('claim_lost', 'The claim has ended.'), message)
  options().onError?.(new Unreachable('unreachable', 'No answer.', { cause }), null)
  assert.deepEqual(lines, ['message m: The claim has ended.', 'No answer. (connect ECONNREFUSED 127.0.0.1:1)'])
  end()
})
