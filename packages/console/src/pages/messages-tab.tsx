import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { Message } from 'zaqar-client'
import { isLost, isOfContact, noteContact } from '../contact.ts'
import { ActionButton } from '../parts/action-button.tsx'
import { Confirm } from '../parts/confirm.tsx'
import { Check, Field } from '../parts/field.tsx'
import { isFound } from '../parts/json-tree.tsx'
import { claimIn, MessageItem } from '../parts/message-item.tsx'
import { type Markers, PageTurner } from '../parts/page-turner.tsx'
import { Trouble } from '../parts/trouble.tsx'
import { text } from '../text.ts'
import { useLoaded } from '../use-loaded.ts'
import { useSettled } from '../use-settled.ts'
import { Download } from './download.tsx'
import { topicOf } from './list-page.tsx'
import type { TabProps } from './queue-page.tsx'
import { Redrive } from './redrive.tsx'

/** So many are asked for at a time, where the service gives as many. */
const PAGE = 20
/** Of the live view; older ones make room. */
const MOST_LIVE = 200

export function MessagesTab(props: TabProps) {
  const [isLive, setLive] = useState(false)
  const live = <Check label={text.messages.live} isOn={isLive} change={setLive} />
  return isLive ? (
    <>
      <div class="bar">{live}</div>
      <LiveMessages {...props} />
    </>
  ) : (
    <StoredMessages {...props}>{live}</StoredMessages>
  )
}

/** Page by page, by marker: what a page costs does not depend on how much stands in the queue. */
function StoredMessages({ session, kind, name, reload, children }: TabProps & { children: ComponentChildren }) {
  const topic = topicOf(session, kind, name)
  const [claimed, setClaimed] = useState(true)
  const [delayed, setDelayed] = useState(false)
  const [written, setWritten] = useState('')
  const [jump, setJump] = useState('')
  const [markers, setMarkers] = useState<Markers>([undefined])
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const [isDeleting, setDeleting] = useState(false)
  const [isRedriving, setRedriving] = useState(false)
  const find = useSettled(written)
  const marker = markers.at(-1)
  const most = Math.min(PAGE, session.limits.messagesOfPage[1])
  const terms = { limit: most, includeClaimed: claimed, includeDelayed: delayed }
  const page = useLoaded(
    (signal) => topic.list({ marker, ...terms, signal }),
    JSON.stringify([marker, claimed, delayed]),
  )
  const messages = page.value?.messages ?? []
  const shown = find === '' ? messages : messages.filter((one) => one.id.includes(find) || isFound(one.body, find))
  const ids = shown.map(({ id }) => id).filter((id) => chosen.has(id))
  const words = text.messages
  const mayDelete = session.may('messages:delete')
  const mayDeleteAll = session.may('messages:delete_all')
  const mayRedrive = kind === 'queue' && session.may('messages:redrive')
  const changed = () => {
    setChosen(new Set())
    page.reload()
    reload()
  }
  const turnTo = (markers: Markers) => {
    setChosen(new Set())
    setMarkers(markers)
  }
  return (
    <>
      <div class="bar">
        {children}
        <Field label={words.find} type="search" value={written} change={setWritten} />
        <form
          class="joined"
          onSubmit={(event) => {
            event.preventDefault()
            const place = jump.trim()
            turnTo(place === '' ? [undefined] : [undefined, place])
          }}
        >
          <Field label={words.jump} value={jump} change={setJump} />
          <button type="submit">{words.go}</button>
        </form>
        <Check label={words.claimed} isOn={claimed} change={setClaimed} />
        <Check
          label={words.delayed}
          isOn={delayed}
          change={(isOn) => {
            // Its pages go by another order.
            setDelayed(isOn)
            turnTo([undefined])
          }}
        />
      </div>
      <div class="bar tools">
        {mayDeleteAll && shown.length > 0 && (
          <>
            <Check
              label={words.chooseAll}
              isOn={ids.length === shown.length}
              change={(isOn) => setChosen(new Set(isOn ? shown.map(({ id }) => id) : []))}
            />
            <button type="button" class="danger" disabled={ids.length === 0} onClick={() => setDeleting(true)}>
              {words.deleteChosen(ids.length)}
            </button>
          </>
        )}
        {mayRedrive && (
          <button type="button" disabled={messages.length === 0} onClick={() => setRedriving(true)}>
            {text.redrive.open}
          </button>
        )}
        <button type="button" onClick={page.reload}>
          {text.reload}
        </button>
        <Download topic={topic} from={marker} terms={terms} name={name} isDisabled={messages.length === 0} />
      </div>
      <Trouble error={page.error} />
      {page.value === null && page.error === null && <p class="empty">{text.loading}</p>}
      {page.value !== null && shown.length === 0 && <p class="empty">{words.none}</p>}
      <ul class="messages" aria-label={words.list}>
        {shown.map((message) => (
          <MessageItem
            key={message.id}
            message={message}
            find={find}
            {...((mayDeleteAll || mayRedrive) && {
              isChosen: chosen.has(message.id),
              choose: (isOn: boolean) => setChosen(changedBy(chosen, message.id, isOn)),
            })}
          >
            {mayDelete && (
              <ActionButton
                label={text.delete}
                tone="plain"
                title={claimIn(message.href) && words.deleteHeld}
                act={() => topic.deleteMessage(message.id, claimIn(message.href)).then(changed)}
              />
            )}
          </MessageItem>
        ))}
      </ul>
      <PageTurner
        label={words.pages}
        markers={markers}
        next={messages.length < most ? undefined : (page.value?.marker ?? undefined)}
        turnTo={turnTo}
      />
      {isRedriving && (
        <Redrive queue={session.zaqar.queue(name)} chosen={ids} changed={changed} close={() => setRedriving(false)} />
      )}
      {isDeleting && (
        <Confirm
          title={words.deleteChosen(ids.length)}
          warning={words.deleteWarning}
          submit={text.delete}
          act={() => topic.deleteMessages(ids, heldBy(messages, ids)).then(changed)}
          close={() => setDeleting(false)}
        />
      )}
    </>
  )
}

/** Where a service insists on claims it gets those that hold the messages. */
function heldBy(messages: readonly Message[], ids: readonly string[]): string[] {
  const claims = messages.filter(({ id }) => ids.includes(id)).map(({ href }) => claimIn(href))
  return [...new Set(claims.filter((claim) => claim !== undefined))]
}

function changedBy(chosen: ReadonlySet<string>, id: string, isOn: boolean): ReadonlySet<string> {
  const next = new Set(chosen)
  if (isOn) next.add(id)
  else next.delete(id)
  return next
}

/** What is posted from now on, as it comes. */
function LiveMessages({ session, kind, name }: TabProps) {
  const [messages, setMessages] = useState<readonly Message[]>([])
  const [error, setError] = useState<unknown>(null)
  const [state, setState] = useState<'connecting' | 'waiting' | 'broken'>('connecting')
  useEffect(() => {
    // Without leave to subscribe there are event streams, which need leave to read alone.
    const transports = session.may('subscription:create') ? {} : { transports: ['events', 'poll'] as const }
    const subscriber = topicOf(session, kind, name).subscribe(
      ({ id, ttl, body }) => {
        setMessages((before) => [{ id, ttl, body, href: '', age: 0 }, ...before].slice(0, MOST_LIVE))
      },
      {
        ...transports,
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
      <p class="hint" role="status">
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
