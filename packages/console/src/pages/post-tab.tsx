import { useRef, useState } from 'preact/hooks'
import type { NewMessage } from 'zaqar-client'
import { parseExact } from '../exact-json.ts'
import { Area, Choice, Field } from '../parts/field.tsx'
import { Form } from '../parts/form.tsx'
import { useAction } from '../parts/use-action.ts'
import type { Session } from '../session.ts'
import { text } from '../text.ts'
import { topicOf } from './list-page.tsx'
import type { TabProps } from './queue-page.tsx'

type Shape = 'one' | 'lines'

/** Of one request: the service takes 262,144 bytes unless an operator or the queue says otherwise. */
const MOST_BYTES = 200_000

/** What did not get through to the end: whoever posts the same again goes on with it, and nothing is posted twice. */
interface UnderWay {
  readonly input: string
  /** Those that are left, each with what its POST is known by. */
  readonly batches: { readonly messages: readonly NewMessage[]; readonly key: string }[]
  posted: number
}

export function PostTab({ session, kind, name, reload }: TabProps) {
  const [shape, setShape] = useState<Shape>('one')
  const [written, setWritten] = useState('')
  const [ttl, setTtl] = useState('')
  const [delay, setDelay] = useState('')
  const [posted, setPosted] = useState<number | null>(null)
  const words = text.post
  const underWay = useRef<UnderWay | null>(null)
  const action = useAction(async () => {
    const input = JSON.stringify([shape, written, ttl, delay])
    if (underWay.current?.input !== input) {
      const terms = { ...(ttl !== '' && { ttl: Number(ttl) }), ...(delay !== '' && { delay: Number(delay) }) }
      const bodies = shape === 'one' ? [bodyIn(written)] : linesIn(written)
      const batches = batchesOf(bodies.map((body) => ({ body, ...terms })))
      underWay.current = { input, batches: batches.map((messages) => ({ messages, key: nextKey(session) })), posted: 0 }
      setPosted(null)
    }
    const post = underWay.current
    for (let batch = post.batches[0]; batch !== undefined; batch = post.batches[0]) {
      await topicOf(session, kind, name).postAll(batch.messages, { idempotencyKey: batch.key })
      post.batches.shift()
      post.posted += batch.messages.length
      setPosted(post.posted)
    }
    underWay.current = null
    reload()
  })
  return (
    <Form action={action} submit={words.submit} result={posted === null ? '' : words.posted(posted)}>
      <Choice
        label={words.shape}
        value={shape}
        choices={[
          ['one', words.one],
          ['lines', words.lines],
        ]}
        change={setShape}
      />
      <Area
        label={words.body}
        hint={shape === 'one' ? words.bodyHint : words.linesHint}
        value={written}
        change={setWritten}
      />
      <div class="bar">
        <label class="file">
          {words.file}
          <input
            type="file"
            onChange={async (event) => {
              const [file] = event.currentTarget.files ?? []
              if (file !== undefined) setWritten(await file.text())
            }}
          />
        </label>
        <Field label={words.ttl} hint={words.default} type="number" min="1" value={ttl} change={setTtl} />
        <Field label={words.delay} hint={words.default} type="number" min="0" value={delay} change={setDelay} />
      </div>
    </Form>
  )
}

let posts = 0

/** Unlike that of any other POST. */
function nextKey({ zaqar }: Session): string {
  posts += 1
  return `${zaqar.clientId} ${posts}`
}

/** JSON, or else the text itself. */
function bodyIn(written: string): unknown {
  try {
    return parseExact(written)
  } catch {
    return written
  }
}

/** @throws Error with the line that is no JSON */
function linesIn(written: string): unknown[] {
  const bodies = written.split('\n').flatMap((line, i) => {
    if (line.trim() === '') return []
    try {
      return [parseExact(line)]
    } catch {
      throw new Error(text.post.line(i + 1))
    }
  })
  if (bodies.length === 0) throw new Error(text.post.nothing)
  return bodies
}

/** Each fits into a request; one that is too large itself goes alone, and the service says so. */
function batchesOf(messages: readonly NewMessage[]): NewMessage[][] {
  const batches: NewMessage[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const message of messages) {
    const size = new TextEncoder().encode(JSON.stringify(message)).length + 1
    if (bytes + size > MOST_BYTES) {
      batches.push([])
      bytes = 0
    }
    batches.at(-1)?.push(message)
    bytes += size
  }
  return batches
}
