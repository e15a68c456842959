/** `zaqar message post`: bodies from arguments, from a file, or from the lines of one. */
import { createReadStream, statSync } from 'node:fs'
import type { NewMessage, Topic } from 'zaqar-client/http'
import { type Asking, asks } from '../ask.ts'
import type { ZaqarCommand } from '../command.ts'
import { linesOf } from '../lines.ts'
import { Progress } from '../output/progress.ts'
import type { Shell } from '../shell.ts'
import { UsageError } from '../usage-error.ts'
import { countFrom, jsonOrText } from '../values.ts'
import { addSource, type SourceFlags, sourceOf } from './source.ts'

interface Flags extends SourceFlags {
  readonly file?: string
  readonly lines?: string
  readonly text?: true
  readonly ttl?: number
  readonly delay?: number
  readonly batch: number
  readonly skip: number
}

/** Messages that are posted together, where `--batch` does not say less. */
const BATCH = 100
/** JSON of a batch is not made longer, but for a body that is: half of what upstream takes. */
const BATCH_CHARACTERS = 131_072

export function definePost(command: ZaqarCommand, shell: Shell): void {
  addSource(command)
    .description('Posts messages, in order. Without a body or a file, standard input is the body.')
    .argument('[BODY...]', 'A body for each message: JSON, or else text.')
    .option('--file <FILE>', 'What is in the file is the body; - is standard input.')
    .option('--lines <FILE>', 'Each line of the file is the body of a message; - is standard input.')
    .option('--text', 'Bodies are text, also where they look like JSON.')
    .option('--ttl <SECONDS>', 'Life of the messages. Default: what the queue says', countFrom(1))
    .option('--delay <SECONDS>', 'For so long nobody can claim them.', countFrom(0))
    .option('--batch <N>', `Lines that are posted together. Default: ${BATCH}`, countFrom(1), BATCH)
    .option('--skip <N>', 'Pass over so many lines at the beginning, which were posted before.', countFrom(0), 0)
    .examples(
      `zaqar message post jobs '{"order": 1}' '{"order": 2}' --ttl 300`,
      'zaqar message post jobs --lines orders.jsonl',
      'echo hello | zaqar message post jobs',
    )
  asks(command, shell, async (asking, flags: Flags, queue: string, bodies: readonly string[] = []) => {
    const sources = [bodies.length > 0, flags.file !== undefined, flags.lines !== undefined].filter(Boolean).length
    if (sources > 1) throw new UsageError('bodies, --file and --lines exclude each other')
    const source = sourceOf(asking.zaqar, flags, queue)
    if (flags.lines !== undefined) return postLines(asking, flags, source, flags.lines)
    const texts = bodies.length > 0 ? bodies : [await contentOf(flags.file, shell)]
    const ids = await source.postAll(texts.map((text) => messageOf(text, flags)))
    await asking.printer.tell({ posted: ids.length, ids }, ...ids)
  })
}

/** @throws Error that says with `--skip` how to go on, when not all are posted */
async function postLines({ printer, shell }: Asking, flags: Flags, source: Topic, path: string): Promise<void> {
  const progress = new Progress(shell.stderr, 'messages are posted')
  const input = openInput(path, shell)
  let posted = flags.skip
  try {
    for await (const messages of batchesOf(linesOf(input.chunks()), flags)) {
      await source.postAll(messages)
      posted += messages.length
      progress.at(posted, input.share())
    }
  } catch (error) {
    progress.end()
    if (posted > 0) shell.stderr.write(`zaqar: ${posted} lines are posted; --skip ${posted} goes on behind them\n`)
    throw error
  }
  progress.end()
  await printer.tell({ posted: posted - flags.skip }, `${posted - flags.skip} messages are posted`)
}

/** Empty lines are no messages. */
async function* batchesOf(lines: AsyncIterable<string>, flags: Flags): AsyncGenerator<NewMessage[], void> {
  let batch: NewMessage[] = []
  let characters = 0
  let left = flags.skip
  let number = 0
  for await (const line of lines) {
    number++
    if (line.trim() === '') continue
    if (left > 0) {
      left--
      continue
    }
    if (batch.length >= flags.batch || (batch.length > 0 && characters + line.length > BATCH_CHARACTERS)) {
      yield batch
      batch = []
      characters = 0
    }
    batch.push(inLine(number, () => messageOf(line, flags)))
    characters += line.length
  }
  if (batch.length > 0) yield batch
}

function inLine<T>(number: number, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new Error(`line ${number}: ${(error as Error).message}`)
  }
}

function messageOf(text: string, { text: isText, ttl, delay }: Flags): NewMessage {
  return {
    body: isText ? text : bodyOf(text),
    ...(ttl !== undefined && { ttl }),
    ...(delay !== undefined && { delay }),
  }
}

/** @throws UsageError */
function bodyOf(text: string): unknown {
  try {
    return jsonOrText(text)
  } catch (error) {
    throw new UsageError(`${(error as Error).message}; with --text it is posted as it is`)
  }
}

/** All of a file, or of standard input; one line feed at its end is not part of it. */
async function contentOf(path = '-', shell: Shell): Promise<string> {
  if (path === '-' && shell.stdin.isTTY) throw new UsageError('a body is missing; see zaqar message post --help')
  const lines = await Array.fromAsync(linesOf(openInput(path, shell).chunks()))
  return lines.join('\n')
}

interface Input {
  chunks(): AsyncIterable<Uint8Array | string>
  /** How much of it was read, from 0 to 1; null where nobody knows how much there is. */
  share(): number | null
}

function openInput(path: string, { stdin }: Shell): Input {
  if (path === '-') return { chunks: () => stdin, share: () => null }
  const size = statSync(path).size
  const stream = createReadStream(path)
  return { chunks: () => stream, share: () => (size === 0 ? null : stream.bytesRead / size) }
}
