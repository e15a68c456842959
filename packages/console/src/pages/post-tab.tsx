import { useEffect, useRef, useState } from 'preact/hooks'
import type { NewMessage } from 'zaqar-client'
import { boundsOf } from '../bounds.ts'
import { parseExact } from '../exact-json.ts'
import { linesOf } from '../lines.ts'
import { Area, Choice, Field, FileField } from '../parts/field.tsx'
import { Form } from '../parts/form.tsx'
import { useAction } from '../parts/use-action.ts'
import type { Session } from '../session.ts'
import { text } from '../text.ts'
import { topicOf } from './list-page.tsx'
import type { TabProps } from './queue-page.tsx'

/** What is written: one body; a body in each line; or a message in each line, as they are downloaded. */
type Shape = 'one' | 'bodies' | 'messages'

/** Of one request, where the service and the queue take as much. */
const MOST_BYTES = 200_000
/** Of a request beside its messages: more than there are. */
const AROUND_BYTES = 20

/** What did not get through to the end: whoever posts the same again goes on with it, and nothing is posted twice. */
interface UnderWay {
  readonly input: string
  readonly file: File | null
  readonly batches: AsyncGenerator<NewMessage[], void>
  /** The next one, with what its POST is known by; null: it was not read yet. */
  batch: { readonly messages: readonly NewMessage[]; readonly key: string } | null
  posted: number
}

export function PostTab({ session, kind, name, reload }: TabProps) {
  const [shape, setShape] = useState<Shape>('one')
  const [written, setWritten] = useState('')
  const [file, setFile] = useState<File | null>(null)
  const [ttl, setTtl] = useState('')
  const [delay, setDelay] = useState('')
  const [posted, setPosted] = useState<number | null>(null)
  const ending = useRef<AbortController | null>(null)
  useEffect(() => () => ending.current?.abort(), [])
  const words = text.post
  const underWay = useRef<UnderWay | null>(null)
  const topic = topicOf(session, kind, name)
  const mostBytes = async () => {
    const [, most] = session.limits.postBytes
    const own = session.may(`${kind}s:get`) ? (await topic.metadata())['_max_messages_post_size'] : null
    return Math.min(MOST_BYTES, Number(own ?? most) - AROUND_BYTES)
  }
  const action = useAction(async () => {
    const input = JSON.stringify([shape, written, ttl, delay])
    if (underWay.current?.input !== input || underWay.current.file !== file) {
      const terms = { ...(ttl !== '' && { ttl: Number(ttl) }), ...(delay !== '' && { delay: Number(delay) }) }
      const source = file ?? new Blob([written])
      setPosted(null)
      if (file !== null) await checkReadable(file)
      if (shape !== 'one') await check(source, shape)
      const messages = shape === 'one' ? bodyOf(await source.text()) : messagesIn(source, shape)
      const most = await mostBytes()
      underWay.current = { input, file, batches: batchesOf(messages, terms, most), batch: null, posted: 0 }
    }
    const post = underWay.current
    const end = new AbortController()
    ending.current = end
    while (!end.signal.aborted) {
      post.batch ??= await nextBatch(post, session)
      if (post.batch === null) break
      await topic.postAll(post.batch.messages, { idempotencyKey: post.batch.key })
      post.posted += post.batch.messages.length
      post.batch = null
      setPosted(post.posted)
    }
    if (!end.signal.aborted) underWay.current = null
    if (post.posted === 0 && !end.signal.aborted) throw new Error(words.nothing)
    reload()
  })
  return (
    <Form action={action} submit={words.submit} result={posted === null ? '' : words.posted(posted)}>
      <div class="bar">
        <Choice
          label={words.shape}
          value={shape}
          choices={Object.entries(words.shapes) as [Shape, string][]}
          hint={words.shapeHints[shape]}
          change={setShape}
        />
      </div>
      {file === null ? (
        <Area
          label={words.body}
          hint={shape === 'one' && written !== '' ? kindText(written) : undefined}
          value={written}
          change={setWritten}
        />
      ) : (
        <p class="bar">
          <bdi>{words.chosen(file.name, file.size)}</bdi>
          <button type="button" onClick={() => setFile(null)}>
            {words.forget}
          </button>
        </p>
      )}
      <div class="bar">
        {file === null && (
          <FileField
            label={words.file}
            change={(chosen) => {
              setFile(chosen)
              if (chosen !== null && shape === 'one') setShape('bodies')
            }}
          />
        )}
        <Field
          label={words.ttl}
          hint={words.default}
          type="number"
          {...boundsOf('ttl', session)}
          value={ttl}
          change={setTtl}
        />
        <Field
          label={words.delay}
          hint={words.delayHint}
          type="number"
          {...boundsOf('delay', session)}
          value={delay}
          change={setDelay}
        />
        {action.isRunning && (
          <button type="button" onClick={() => ending.current?.abort()}>
            {words.stop}
          </button>
        )}
      </div>
    </Form>
  )
}

/** Null: there is none. */
async function nextBatch({ batches }: UnderWay, session: Session): Promise<UnderWay['batch']> {
  const { done, value } = await batches.next()
  return done ? null : { messages: value, key: nextKey(session) }
}

let posts = 0

/** Unlike that of any other POST. */
function nextKey({ zaqar }: Session): string {
  posts += 1
  return `${zaqar.clientId} ${posts}`
}

/** Says how it will be taken. */
function kindText(written: string): string {
  const isJson = typeof bodyIn(written).body !== 'string' || written.trim().startsWith('"')
  return isJson ? text.post.asJson : text.post.asText
}

/** None where nothing is written: an empty text is `""`. */
function bodyOf(written: string): NewMessage[] {
  return written === '' ? [] : [bodyIn(written)]
}

/** JSON, or else the text itself. */
function bodyIn(written: string): NewMessage {
  try {
    return { body: parseExact(written) }
  } catch {
    return { body: written }
  }
}

/** @throws Error with a sentence for people, where the file was changed or taken away since it was chosen */
async function checkReadable(file: File): Promise<void> {
  try {
    await file.slice(0, 1).text()
  } catch {
    throw new Error(text.post.unreadable(file.name))
  }
}

/** Nothing is posted of what cannot be posted as a whole. @throws Error with the line that is no message */
async function check(source: Blob, shape: 'bodies' | 'messages'): Promise<void> {
  for await (const _ of messagesIn(source, shape));
}

/** @throws Error with the line that is none */
async function* messagesIn(source: Blob, shape: 'bodies' | 'messages'): AsyncGenerator<NewMessage> {
  for await (const { number, line } of linesOf(source)) {
    if (line.trim() === '') continue
    const value = jsonIn(line, number)
    if (shape === 'bodies') yield { body: value }
    else yield messageIn(value, number)
  }
}

function jsonIn(line: string, number: number): unknown {
  try {
    return parseExact(line)
  } catch {
    throw new Error(text.post.line(number))
  }
}

function messageIn(value: unknown, number: number): NewMessage {
  if (typeof value !== 'object' || value === null || !('body' in value)) throw new Error(text.post.noMessage(number))
  // Of a line as it was downloaded, the rest is the service's. It judges what is wrong with these.
  const { body, ttl, delay } = value as NewMessage
  return { body, ...(ttl !== undefined && { ttl }), ...(delay !== undefined && { delay }) }
}

/** Each fits into a request; one message that is too large by itself goes alone, and the service says so. */
async function* batchesOf(
  messages: Iterable<NewMessage> | AsyncIterable<NewMessage>,
  terms: Omit<NewMessage, 'body'>,
  most: number,
): AsyncGenerator<NewMessage[], void> {
  let batch: NewMessage[] = []
  let bytes = 0
  for await (const message of messages) {
    const whole = { ...message, ...terms }
    const size = new TextEncoder().encode(JSON.stringify(whole)).length + 1
    if (batch.length > 0 && bytes + size > most) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(whole)
    bytes += size
  }
  if (batch.length > 0) yield batch
}
