import { useEffect, useRef, useState } from 'preact/hooks'
import type { Message, Queue } from 'zaqar-client'
import { isLost, isOfContact, noteContact } from '../contact.ts'
import { download } from '../download.ts'
import { durationOf } from '../duration.ts'
import { Field } from '../parts/field.tsx'
import { JsonTree } from '../parts/json-tree.tsx'
import { Trouble } from '../parts/trouble.tsx'
import { useAction } from '../parts/use-action.ts'
import { text } from '../text.ts'
import { useLoaded } from '../use-loaded.ts'
import { topicOf } from './list-page.tsx'
import type { TabProps } from './queue-page.tsx'

const PAGE = 20
/** Of the live view; older ones make room. */
const MOST_LIVE = 200

export function MessagesTab(props: TabProps) {
  const [isLive, setLive] = useState(false)
  const words = text.messages
  return (
    <>
      <div class="bar">
        <label class="check">
          <input type="checkbox" checked={isLive} onChange={(event) => setLive(event.currentTarget.checked)} />
          {words.live}
        </label>
      </div>
      {isLive ? <LiveMessages {...props} /> : <StoredMessages {...props} />}
    </>
  )
}

/** Page by page, by marker: what a page costs does not depend on how much stands in the queue. */
function StoredMessages({ session, kind, name, reload }: TabProps) {
  const topic = topicOf(session, kind, name)
  const [claimed, setClaimed] = useState(true)
  const [delayed, setDelayed] = useState(false)
  const [find, setFind] = useState('')
  const [jump, setJump] = useState('')
  /** Where the pages up to this one begin. */
  const [markers, setMarkers] = useState<readonly (string | undefined)[]>([undefined])
  const marker = markers.at(-1)
  const page = useLoaded(
    (signal) => topic.list({ marker, limit: PAGE, includeClaimed: claimed, includeDelayed: delayed, signal }),
    JSON.stringify([marker, claimed, delayed]),
  )
  const messages = page.value?.messages ?? []
  const shown =
    find === '' ? messages : messages.filter(({ body, id }) => `${id} ${JSON.stringify(body)}`.includes(find))
  const words = text.messages
  const changed = () => {
    page.reload()
    reload()
  }
  return (
    <>
      <div class="bar">
        <label class="check">
          <input type="checkbox" checked={claimed} onChange={(event) => setClaimed(event.currentTarget.checked)} />
          {words.claimed}
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={delayed}
            onChange={(event) => {
              // Its pages go by another order.
              setDelayed(event.currentTarget.checked)
              setMarkers([undefined])
            }}
          />
          {words.delayed}
        </label>
        <Field label={words.find} type="search" value={find} change={setFind} />
        <form
          onSubmit={(event) => {
            event.preventDefault()
            setMarkers([undefined, jump.trim() === '' ? undefined : jump.trim()])
          }}
        >
          <Field label={words.jump} value={jump} change={setJump} />
        </form>
        <button
          type="button"
          disabled={messages.length === 0}
          onClick={() => download(`${name}.jsonl`, messages.map((message) => `${JSON.stringify(message)}\n`).join(''))}
        >
          {words.download}
        </button>
      </div>
      {kind === 'queue' && session.shared === null && <Redrive queue={session.zaqar.queue(name)} changed={changed} />}
      <Trouble error={page.error} />
      {page.value === null && page.error === null && <p class="empty">{text.loading}</p>}
      {page.value !== null && shown.length === 0 && <p class="empty">{words.none}</p>}
      <ul class="messages" aria-label={words.list}>
        {shown.map((message) => (
          <MessageItem
            key={message.id}
            message={message}
            remove={(claim) => topic.deleteMessage(message.id, claim).then(changed)}
          />
        ))}
      </ul>
      <div class="actions">
        <button type="button" disabled={markers.length === 1} onClick={() => setMarkers([undefined])}>
          {words.first}
        </button>
        <button type="button" disabled={markers.length === 1} onClick={() => setMarkers(markers.slice(0, -1))}>
          {words.back}
        </button>
        <button
          type="button"
          disabled={messages.length < PAGE}
          onClick={() => setMarkers([...markers, page.value?.marker])}
        >
          {words.next}
        </button>
      </div>
    </>
  )
}

/** What is posted from now on, as it comes. */
function LiveMessages({ session, kind, name }: TabProps) {
  const [messages, setMessages] = useState<readonly LiveMessage[]>([])
  const [error, setError] = useState<unknown>(null)
  const [state, setState] = useState<'connecting' | 'waiting' | 'broken'>('connecting')
  useEffect(() => {
    const subscriber = topicOf(session, kind, name).subscribe(
      ({ id, ttl, body }) => {
        setMessages((before) => [{ id, ttl, body, href: '', age: 0 }, ...before].slice(0, MOST_LIVE))
      },
      {
        onError(error) {
          // Other requests tell better whether the service is away.
          if (!isLost(error)) noteContact(error)
          setError(isOfContact(error) ? null : error)
        },
        onTransport(transport) {
          setState(transport === null ? 'broken' : 'waiting')
          if (transport !== null) setError(null)
        },
      },
    )
    return () => void subscriber.stop()
  }, [session, kind, name])
  return (
    <>
      <p class="hint">{text.messages.liveHint}</p>
      <Trouble error={error} />
      <p class="state" role="status">
        {text.messages[state]}
      </p>
      <ul class="messages" aria-label={text.messages.list} aria-live="polite">
        {messages.map((message) => (
          <MessageItem key={message.id} message={message} />
        ))}
      </ul>
    </>
  )
}

type LiveMessage = Message<unknown>

function MessageItem({
  message,
  remove,
}: {
  message: Message
  remove?(claimId: string | undefined): Promise<unknown>
}) {
  const { id, href, age, ttl, body } = message
  const claim = claimIn(href)
  const words = text.messages
  const action = useAction(async () => remove?.(claim))
  return (
    <li class="message">
      <div class="message-head">
        <code>{id}</code>
        <span>
          {words.age} {durationOf(age)}
        </span>
        <span>
          {words.left} {durationOf(ttl - age)}
        </span>
        {claim !== undefined && (
          <span class="badge">
            {words.held} <code>{claim}</code>
          </span>
        )}
        {remove !== undefined && (
          <button
            type="button"
            class="plain"
            title={claim === undefined ? undefined : words.deleteHeld}
            disabled={action.isRunning}
            onClick={action.run}
          >
            {words.delete}
          </button>
        )}
      </div>
      <Trouble error={action.error} />
      <JsonTree value={body} />
    </li>
  )
}

/** Moves dead letters back to where they came from, in steps, with how many went; more than a few take a while. */
function Redrive({ queue, changed }: { queue: Queue; changed(): void }) {
  const [rate, setRate] = useState('')
  const [moved, setMoved] = useState<number | null>(null)
  const ending = useRef<AbortController | null>(null)
  useEffect(() => () => ending.current?.abort(), [])
  const words = text.messages
  const action = useAction(async () => {
    const end = new AbortController()
    ending.current = end
    let count = 0
    setMoved(0)
    for (let isDone = false; !isDone && !end.signal.aborted; ) {
      const answer = await queue.redrive(rate === '' ? {} : { rate: Number(rate) })
      count += answer.moved.length
      isDone = answer.done || answer.moved.length === 0
      setMoved(count)
    }
    changed()
  })
  return (
    <details class="panel">
      <summary>{words.redrive}</summary>
      <div class="bar">
        <Field label={words.rate} hint={words.rateHint} type="number" min="1" value={rate} change={setRate} />
        {action.isRunning ? (
          <button type="button" onClick={() => ending.current?.abort()}>
            {words.stop}
          </button>
        ) : (
          <button type="button" onClick={action.run}>
            {words.redrive}
          </button>
        )}
        <output>{moved === null ? '' : words.moved(moved)}</output>
      </div>
      <Trouble error={action.error} />
    </details>
  )
}

/** Of the claim that holds it. */
function claimIn(href: string): string | undefined {
  return new URL(href, 'http://service').searchParams.get('claim_id') ?? undefined
}
