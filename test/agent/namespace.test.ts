/** The example of examples/guest-agent in a guest that reaches nothing but the service. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Message, Zaqar } from 'zaqar-client/http'
import { until } from '../../packages/server/test/support/until.ts'
import { installZaqar } from '../support/command.ts'
import { requirePeer } from '../support/peers.ts'
import { startService } from '../support/service.ts'
import { killAgents, startAgent } from './agent-process.ts'
import { createGuest } from './guest.ts'

const example = (file: string) => fileURLToPath(new URL(`../../examples/guest-agent/${file}`, import.meta.url))

/** Writes each job down, and takes a while for it. */
const COMMAND = `job=$(cat); echo "$job" >> begun; sleep 0.1; echo "$job" | ${example('run-job')} > output && wc -l < output`

test('an agent answers all jobs though the service is killed and the network breaks', async (t) => {
  if (!requirePeer(t, 'iproute2')) return
  const guest = createGuest()
  if (typeof guest === 'string') {
    if (process.env['CI'] !== undefined) throw new Error(guest)
    return t.skip(guest)
  }
  assert.match(guest.routes(), /^\S+\/30 dev cable [^\n]*\n$/)

  const folder = mkdtempSync(join(tmpdir(), 'zaqar-guest-'))
  const options = {
    dataDir: join(folder, 'data'),
    args: ['--bind', guest.hostAddress, '--expose-without-authentication'],
  }
  let service = await startService(options)
  t.after(async () => {
    killAgents()
    await service.kill()
    guest.remove()
    rmSync(folder, { recursive: true })
  })
  const { url, port } = service
  const PATH = `${installZaqar(folder)}${delimiter}${process.env['PATH']}`
  execFileSync(example('prepare-guest.sh'), ['web-1', 'web-1.json'], {
    cwd: folder,
    env: { PATH, HOME: folder, ZAQAR_URL: url, ZAQAR_PROJECT: 'demo' },
  })

  const zaqar = new Zaqar({ url, project: 'demo' })
  const [jobs, answers] = [zaqar.queue('web-1-jobs'), zaqar.queue('web-1-outcomes')]
  const postJobs = (count: number) => jobs.postAll(Array.from({ length: count }, () => ({ body: 'system' })))
  const outcomes = () => Array.fromAsync(answers.messages<Record<string, unknown>>({ limit: 20 }))
  const flags = ['--signed-url', 'web-1.json', '--exec', COMMAND]
  const agent = startAgent(flags, folder, guest.under)

  const ids = await postJobs(4)
  await until(async () => (await outcomes()).length >= 1, 'nothing is answered')
  await service.kill()
  await agent.logs('ECONNREFUSED')
  guest.unplug()
  service = await startService({ ...options, port })
  ids.push(...(await postJobs(4)))
  await until(() => guest.lostRequests() > 0, 'the agent does not try while the network is broken')
  guest.plug()

  let found: Message<Record<string, unknown>>[] = []
  await until(async () => {
    found = await outcomes()
    return found.length >= ids.length && (await jobs.stats()).total === 0
  }, 'not all is answered')
  agent.signal('SIGTERM')
  assert.equal(await agent.ended, 0, agent.log())
  assert.deepEqual(found.map(({ body }) => body['message_id']).sort(), ids.sort())
  for (const { body } of found) assert.partialDeepStrictEqual(body, { exit_code: 0, stdout: '1\n' })
  const begun = readFileSync(join(folder, 'begun'), 'utf8').trim().split('\n').length
  t.diagnostic(`${begun - ids.length} of ${ids.length} jobs were run once more`)
})
