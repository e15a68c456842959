import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Mail } from '../../src/delivery/channel.ts'
import { createMailChannel } from '../../src/delivery/channels/mail.ts'
import { startMailServer } from '../support/mail-server.ts'
import { until } from '../support/until.ts'

const mail: Mail = {
  from: 'owner@example.org',
  to: 'one@example.com',
  cc: 'two@example.com',
  bcc: 'three@example.com',
  subject: 'News ✓',
  text: '{"body": {"n": 1}, "queue_name": "q"}\n.\nFrom here',
}
const isThere = spawnSync('/usr/bin/msmtp', ['--version'], { stdio: 'ignore' }).status === 0
const skip = !isThere && 'msmtp is not installed (Debian package msmtp)'
const never = new AbortController().signal

function open(t: TestContext, command: string, { timeoutSeconds = 20, atOnce = 5 } = {}) {
  const channel = createMailChannel({ carrier: { command }, timeoutSeconds, atOnce })
  t.after(() => channel.close())
  return channel
}

/** A command that is a script of the shell, and the folder that it lies in, which goes after the test. */
async function script(t: TestContext, lines: string) {
  const folder = await mkdtemp(join(tmpdir(), 'zaqar-mail-'))
  t.after(() => rm(folder, { recursive: true }))
  const path = join(folder, 'mail')
  await writeFile(path, `#!/bin/sh\ncd "$(dirname "$0")"\n${lines}\n`)
  await chmod(path, 0o755)
  return { path, folder, read: (file: string) => readFile(join(folder, file), 'utf8') }
}

function failure(reason: string, answer: string | null = null) {
  return { result: 'failed', status: null, reason, answer, retryAfterSeconds: null }
}

const delivered = { result: 'delivered', status: null, reason: null, answer: null, retryAfterSeconds: null }

test('msmtp as the mail command brings a mail to all receivers and hides the hidden ones', { skip }, async (t) => {
  const server = await startMailServer(t)
  const { folder } = await script(t, '')
  const config = join(folder, 'msmtprc')
  await writeFile(config, `account default\nhost 127.0.0.1\nport ${server.port}\nfrom bounces@example.org\n`)
  assert.deepEqual(await open(t, `/usr/bin/msmtp -C ${config} -t -oi`).send(mail, never), delivered)
  const [received] = server.received
  assert.deepEqual(received?.to, ['one@example.com', 'two@example.com', 'three@example.com'])
  assert.equal(received?.from, 'bounces@example.org')
  assert.equal(received?.headers.get('from'), 'owner@example.org')
  assert.equal(received?.headers.get('subject'), '=?UTF-8?Q?News_=E2=9C=93?=')
  assert.equal(received?.body.replaceAll('\r', ''), mail.text)
  assert.doesNotMatch(received?.raw ?? '', /three|bcc/i)
})

test('why msmtp refused is in the answer', { skip }, async (t) => {
  const server = await startMailServer(t, {
    onRcptTo: (_address, _session, done) => done(Object.assign(new Error('Full'), { responseCode: 452 })),
  })
  const command = `/usr/bin/msmtp --host=127.0.0.1 --port=${server.port} --from=bounces@example.org -t`
  const { reason, answer } = await open(t, command).send(mail, never)
  assert.equal(reason, 'the mail command ended with status 69')
  assert.match(answer ?? '', /452 Full/)
})

test('the command gets the mail with hidden receivers on its standard input, and its words as they are', async (t) => {
  const { path, read } = await script(t, `cat > input; printf '[%s]' "$@" > words`)
  assert.deepEqual(await open(t, `${path} -t  $HOME *;id`).send(mail, never), delivered)
  assert.equal(await read('words'), '[-t][][$HOME][*;id]')
  const input = await read('input')
  assert.match(input, /^Bcc: three@example\.com$/m)
  assert.doesNotMatch(input, /\r/)
})

test('a command that fails has its status in the reason and the beginning of its errors in the answer', async (t) => {
  const { path } = await script(t, 'echo no relay >&2; exit 78')
  const answer = await open(t, path).send(mail, never)
  assert.deepEqual(answer, failure('the mail command ended with status 78', 'no relay'))
  const { path: talkative } = await script(t, 'yes no | head -c 1000000 >&2; exit 1')
  assert.equal((await open(t, talkative).send(mail, never)).answer?.length, 500)
})

test('a command that reads nothing is believed, whatever it says', async (t) => {
  const text = 'x'.repeat(1_000_000)
  assert.deepEqual(await open(t, '/bin/true').send({ ...mail, text }, never), delivered)
  const refused = failure('the mail command ended with status 1')
  assert.deepEqual(await open(t, '/bin/false').send({ ...mail, text }, never), refused)
})

test('a command that a signal ends has failed', async (t) => {
  const { path } = await script(t, 'kill -SEGV $$')
  assert.deepEqual(await open(t, path).send(mail, never), failure('the mail command was ended by SIGSEGV'))
})

test('a command that is missing, or none, has failed', async (t) => {
  const missing = failure('the mail command could not be started (ENOENT)')
  assert.deepEqual(await open(t, '/nowhere/sendmail -t').send(mail, never), missing)
  const { path } = await script(t, '')
  await chmod(path, 0o644)
  const forbidden = failure('the mail command could not be started (EACCES)')
  assert.deepEqual(await open(t, path).send(mail, never), forbidden)
})

test('a command that hangs is ended when its time is over, and so is what it has started', async (t) => {
  const { path, read } = await script(t, 'sleep 1000 & echo $! > child; wait')
  const answer = await open(t, path, { timeoutSeconds: 0.5 }).send(mail, never)
  assert.deepEqual(answer, failure('the mail was not accepted within 0.5 seconds'))
  const child = (await read('child')).trim()
  await until(() => !isRunning(child))
})

test('the signal and closing end a command', async (t) => {
  const { path, folder } = await script(t, 'touch started; sleep 1000')
  const ended = failure('the try was ended before the mail was accepted')
  const controller = new AbortController()
  const channel = open(t, path)
  const byServer = channel.send(mail, controller.signal)
  await until(() => existsSync(join(folder, 'started')))
  controller.abort()
  assert.deepEqual(await byServer, ended)
  const byClosing = channel.send(mail, never)
  await channel.close()
  assert.deepEqual(await byClosing, ended)
})

test('what a command leaves behind does not hold up the mail', async (t) => {
  const { path, read } = await script(t, 'sleep 1000 & echo $! > child')
  assert.deepEqual(await open(t, path).send(mail, never), delivered)
  process.kill(Number(await read('child')))
})

test('there are no more commands at once than allowed', async (t) => {
  const { path, read } = await script(t, 'mkdir running || exit 1; cat > /dev/null; echo one >> done; rmdir running')
  const channel = open(t, path, { atOnce: 1 })
  const answers = await Promise.all(Array.from({ length: 5 }, () => channel.send(mail, never)))
  assert.deepEqual(answers, Array(5).fill(delivered))
  assert.equal(await read('done'), 'one\n'.repeat(5))
})

/** One that has ended and was not yet waited for does not run. */
function isRunning(pid: string): boolean {
  try {
    process.kill(Number(pid), 0)
  } catch {
    return false
  }
  return true
}
