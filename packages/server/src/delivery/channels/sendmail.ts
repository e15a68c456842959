import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { createTransport } from 'nodemailer'
import { type Answer, failure } from '../channel.ts'
import type { Carrier } from './mail.ts'

const ANSWER_BYTES = 500

/** How a command ended. `heard` is the beginning of its standard error stream. */
interface Ending {
  /** Null where a signal ended it. */
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  readonly heard: string
}

/**
 * A command that takes a mail on its standard input and its receivers from the headers, of which it removes `Bcc`. Its
 * words are what stands between single spaces, as upstream has it; no shell reads them.
 */
export function createSendmail(command: string, atOnce: number): Carrier {
  const [file = '', ...args] = command.split(' ')
  const writer = createTransport({
    streamTransport: true,
    buffer: true,
    newline: 'unix',
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  const ends = new EventEmitter().setMaxListeners(0)
  let running = 0
  return {
    async send(mail, signal) {
      const { message } = await writer.sendMail({ ...mail })
      assert(Buffer.isBuffer(message))
      while (running >= atOnce && !signal.aborted) await once(ends, 'end', { signal }).catch(() => undefined)
      if (signal.aborted) return failure('it was ended before it began')
      running += 1
      try {
        return answerTo(await run(file, args, message, signal))
      } finally {
        running -= 1
        ends.emit('end')
      }
    },
    close() {
      // The signals of the tries end their commands.
    },
  }
}

function answerTo(ending: Ending | { readonly code: string }): Answer {
  if ('code' in ending) return failure(`the mail command could not be started (${ending.code})`)
  const { status, signal, heard } = ending
  if (status === 0) return { result: 'delivered', status: null, reason: null, answer: null, retryAfterSeconds: null }
  const how = status === null ? `was ended by ${signal}` : `ended with status ${status}`
  return failure(`the mail command ${how}`, heard === '' ? null : heard)
}

/** Answers the code of an error where the command did not start. The signal kills it, and whatever it has started. */
function run(
  file: string,
  args: readonly string[],
  input: Buffer,
  signal: AbortSignal,
): Promise<Ending | { readonly code: string }> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { stdio: ['pipe', 'ignore', 'pipe'], detached: true })
    const { pid, stdin, stderr } = child
    const end = (ending: Ending | { readonly code: string }) => {
      signal.removeEventListener('abort', kill)
      stderr.destroy()
      resolve(ending)
    }
    const kill = () => {
      if (pid !== undefined) killGroup(pid)
      end({ status: null, signal: 'SIGKILL', heard: '' })
    }
    signal.addEventListener('abort', kill, { once: true })
    let heard = Buffer.alloc(0)
    stderr.on('data', (chunk: Buffer) => {
      if (heard.length < ANSWER_BYTES) heard = Buffer.concat([heard, chunk]).subarray(0, ANSWER_BYTES)
    })
    // A command that does not read to the end says by its status what it thinks of the mail.
    stdin.on('error', () => undefined)
    stdin.end(input)
    child.on('error', ({ code = 'unknown' }: NodeJS.ErrnoException) => end({ code }))
    // Some commands deliver behind our back, and what does so holds the stream open.
    child.on('exit', (status) => {
      if (status === 0) end({ status, signal: null, heard: '' })
    })
    child.on('close', (status, signal) => end({ status, signal, heard: heard.toString().trim() }))
  })
}

/** It leads a group of its own, being `detached`. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended in this very moment.
  }
}
