import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { Webhook } from 'standardwebhooks'
import { freePort } from '../../packages/server/test/storage/postgres-server.ts'
import { until } from '../../packages/server/test/support/until.ts'
import { execute } from '../clients/run-python.ts'
import { startService } from '../support/service.ts'
import { assertOptionsTaken } from './options.ts'
import { blocksOf, commandsIn } from './page.ts'
import { openShell } from './shell.ts'
import { answerOf, patternOf } from './shown.ts'

const blocks = blocksOf('docs/notifications.md')
/** Whose commands need a service that asks for confirmations. */
const CONFIRM = 'Confirm'
const CONFIRMATION = 'Confirmation'
const ANYTHING = /.*/
/** Commands that change nothing. */
const LOOKS = /^(told|call) (?!.*-[Xd] )/

interface Told {
  readonly headers: Record<string, string>
  readonly body: string
}

test('the commands of docs/notifications.md print what stands below them', async (t) => {
  // Stays when the test fails.
  const folder = mkdtempSync(join(tmpdir(), 'zaqar-tour-'))
  writeFiles(folder)
  const mails = join(folder, 'mails.txt')
  writeFileSync(mails, '')
  const service = await startService({ config: `[notification]\nsmtp_command = tee -a ${mails}\n` })
  t.after(() => service.kill())
  const asking = await startService({ config: configUnder(CONFIRMATION) })
  t.after(() => asking.kill())
  const HOOK = `http://127.0.0.1:${await freePort()}`
  const shell = openShell(folder, { ZAQAR: service.url, HOOK })
  t.after(() => shell.close())
  const other = openShell(folder, { ZAQAR: asking.url, HOOK })
  t.after(() => other.close())

  for (const command of commandsIn(blocks.slice(0, 1))) await other.run(command)

  let secret = ''
  for (const block of blocks.slice(0, -1)) {
    const typed = commandsIn([block])
    for (const [i, command] of typed.entries()) {
      const wanted = i === typed.length - 1 && block.shown !== null ? patternOf(block.shown) : ANYTHING
      const output = await answerOf(block.heading === CONFIRM ? other : shell, command, wanted, LOOKS)
      assert.match(output, wanted, command)
      secret = /whsec_[^"]+/.exec(output)?.[0] ?? secret
    }
  }

  const told = readTold(folder)
  assert.equal(told('/large').length, 1)
  assert.equal(told('/closed').length, 1)
  assert.equal(told('/chat')[0]?.headers['authorization'], 'Bearer 1234')
  assert.equal(told('/events')[0]?.headers['content-type'], 'application/cloudevents-batch+json')
  await assertMail(mails)
  await assertVerified(folder, secret, told('/mended')[1])
  for (const command of commandsIn(blocks.slice(-1))) await shell.run(command)
  await service.stop()
  await asking.stop()
  rmSync(folder, { recursive: true })
})

test('the options in docs/notifications.md are taken', () => {
  assertOptionsTaken(blocks, 5)
})

/** Programs say in their first line what they are called. */
function writeFiles(folder: string): void {
  for (const { text } of blocks) {
    const [, name] = /^(?:\/\/|#) (\w+\.\w+)\n/.exec(text) ?? []
    if (name !== undefined) writeFileSync(join(folder, name), text)
  }
}

function configUnder(heading: string): string {
  const block = blocks.find((block) => block.heading === heading && block.language === 'ini')
  return block?.text ?? assert.fail(`there are no options under ${heading}`)
}

/** What the receiver has printed: of each path the requests, in order. */
function readTold(folder: string): (path: string) => Told[] {
  const lines = readFileSync(join(folder, 'told.txt'), 'utf8').split('\n')
  return (path) =>
    lines.flatMap((line, i) => {
      if (!line.startsWith(`${path} `)) return []
      return [{ headers: JSON.parse(line.slice(path.length)), body: lines[i + 1] ?? '' }]
    })
}

async function assertMail(file: string): Promise<void> {
  const text = () => readFileSync(file, 'utf8')
  await until(() => text().includes('"order": 2'), text())
  assert.match(text(), /^From: Orders <orders@example.com>$/m)
  assert.match(text(), /^To: shop@example.com$/m)
  assert.match(text(), /^Subject: An order$/m)
}

/** By both programs of the page: the request, but nothing else. */
async function assertVerified(folder: string, secret: string, told: Told | undefined): Promise<void> {
  const { headers, body } = told ?? assert.fail('nothing came')
  const id = headers['webhook-id'] ?? ''
  const old = new Date(Date.now() - 400_000)
  const olden = {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(old.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign(id, old, body),
  }
  const cases: [boolean, string, Record<string, string>, string][] = [
    [true, secret, headers, body],
    [true, secret, { ...headers, 'webhook-signature': `v1,AAAA ${headers['webhook-signature']}` }, body],
    [false, secret, headers, body.replace('99', '98')],
    [false, secret, { ...headers, 'webhook-id': 'another' }, body],
    [false, secret.replace(/.{6}$/, 'AAAAA='), headers, body],
    [false, secret, olden, body],
    [false, secret, {}, body],
  ]
  const wanted = cases.map(([isGenuine]) => isGenuine)
  const { isGenuine } = await import(pathToFileURL(join(folder, 'verify.mjs')).href)
  assert.deepEqual(
    cases.map(([, ...request]) => isGenuine(...request)),
    wanted,
  )
  const program =
    'import json, sys, verify\n' +
    'print(json.dumps([verify.is_genuine(s, h, b.encode()) for _, s, h, b in json.loads(sys.argv[1])]))'
  const output = await execute('python3', ['-B', '-c', program, JSON.stringify(cases)], { PYTHONPATH: folder })
  assert.deepEqual(JSON.parse(output), wanted)
}
