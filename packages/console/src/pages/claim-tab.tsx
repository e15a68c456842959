import { useState } from 'preact/hooks'
import type { Claim, ListedClaim, Queue } from 'zaqar-client'
import { boundsOf } from '../bounds.ts'
import { durationOf } from '../duration.ts'
import { ActionButton } from '../parts/action-button.tsx'
import { Field } from '../parts/field.tsx'
import { Form } from '../parts/form.tsx'
import { JsonTree } from '../parts/json-tree.tsx'
import { type Markers, PageTurner } from '../parts/page-turner.tsx'
import { Trouble } from '../parts/trouble.tsx'
import { useAction } from '../parts/use-action.ts'
import type { May } from '../rights.ts'
import type { Session } from '../session.ts'
import { text } from '../text.ts'
import { useLoaded } from '../use-loaded.ts'
import { taken } from './taken.ts'

interface Held {
  readonly id: string
  readonly messages: readonly Claim['messages'][number][]
}

const PAGE = 20
/** Between two looks, in seconds. */
const LOOK_AGAIN = 5

/** Who holds messages of the queue. Some can be claimed by hand, to be deleted or given back. */
export function ClaimTab({ session, name }: { session: Session; name: string }) {
  const { zaqar, may } = session
  const queue = zaqar.queue(name)
  const [terms, setTerms] = useState({ limit: '1', ttl: '300', grace: '60' })
  /** Those that were claimed here. One that is done holds nothing; a list that was asked for before may still show it. */
  const [own, setOwn] = useState<readonly Held[]>([])
  const held = own.filter(({ messages }) => messages.length > 0)
  const change = (id: string, messages: Held['messages']) =>
    setOwn((before) => before.map((one) => (one.id === id ? { id, messages } : one)))
  return (
    <>
      {may('claims:create') && (
        <Take
          {...{ session, queue, terms }}
          change={setTerms}
          took={(claim) => setOwn((before) => [claim, ...before])}
        />
      )}
      {held.map(({ id, messages }) => (
        <section key={id} class="panel">
          <h2>{text.claims.claim(id)}</h2>
          <HeldMessages
            {...{ queue, may, id, messages }}
            deleted={(gone) => {
              const left = messages.filter((one) => one.id !== gone)
              change(id, left)
            }}
          />
          <div class="actions">
            {may('claims:update') && (
              <ActionButton
                label={text.claims.renew}
                done={text.claims.renewed}
                act={() => queue.renewClaim(id, { ttl: Number(terms.ttl), grace: Number(terms.grace) })}
              />
            )}
            <Release {...{ queue, may, id }} released={() => change(id, [])} />
          </div>
        </section>
      ))}
      {may('claims:get_all') && <LiveClaims {...{ session, queue, may, apart: own, isAlone: held.length === 0 }} />}
      {may('claims:get') && <Look {...{ queue, may }} />}
    </>
  )
}

interface Terms {
  readonly limit: string
  readonly ttl: string
  readonly grace: string
}

interface TakeProps {
  readonly session: Session
  readonly queue: Queue
  readonly terms: Terms
  change(terms: Terms): void
  took(claim: Held): void
}

function Take({ session, queue, terms, change, took }: TakeProps) {
  const [isNothing, setNothing] = useState(false)
  const { limit, ttl, grace } = terms
  const words = text.claims
  const take = useAction(async () => {
    const claim = await queue.claim({ limit: Number(limit), ttl: Number(ttl), grace: Number(grace) })
    setNothing(claim === null)
    if (claim !== null) took({ id: claim.id, messages: claim.messages })
  })
  const field = (name: keyof Terms) => ({
    value: terms[name],
    change: (value: string) => change({ ...terms, [name]: value }),
  })
  return (
    <>
      <p class="hint">{words.intro}</p>
      <Form action={take} submit={words.take} isBar result={isNothing ? words.nothing : ''}>
        <Field label={words.limit} type="number" {...boundsOf('claimed', session)} {...field('limit')} />
        <Field label={words.ttl} type="number" {...boundsOf('claimTtl', session)} {...field('ttl')} />
        <Field label={words.grace} type="number" {...boundsOf('claimGrace', session)} {...field('grace')} />
      </Form>
    </>
  )
}

interface OfQueue {
  readonly queue: Queue
  readonly may: May
}

interface LiveClaimsProps extends OfQueue {
  /** Those that are shown elsewhere. */
  readonly apart: readonly Held[]
  /** Whether all of these are done. */
  readonly isAlone: boolean
  readonly session: Session
}

function LiveClaims({ session, queue, may, apart, isAlone }: LiveClaimsProps) {
  const most = Math.min(PAGE, session.limits.messagesOfPage[1])
  const [markers, setMarkers] = useState<Markers>([undefined])
  const marker = markers.at(-1)
  const { value, error, reload } = useLoaded(
    (signal) => taken(queue.claims({ limit: most, marker, signal }), most),
    marker ?? '',
    LOOK_AGAIN,
  )
  const others = value?.filter(({ id }) => apart.every((one) => one.id !== id))
  const words = text.claims
  return (
    <section aria-label={words.list}>
      <div class="head">
        <h2>{words.list}</h2>
        <button type="button" onClick={reload}>
          {text.reload}
        </button>
      </div>
      <Trouble error={error} />
      {value === null && error === null && <p class="empty">{text.loading}</p>}
      {others?.length === 0 && <p class="empty">{isAlone ? words.none : words.noOthers}</p>}
      <ul class="messages">
        {others?.map((claim) => (
          <LiveClaim
            key={claim.id}
            {...{ queue, may, claim }}
            isOwn={claim.client_id === session.zaqar.clientId}
            changed={reload}
          />
        ))}
      </ul>
      <PageTurner
        label={words.pages}
        markers={markers}
        next={value?.length === most ? value.at(-1)?.id : undefined}
        turnTo={setMarkers}
      />
    </section>
  )
}

function LiveClaim(props: OfQueue & { claim: ListedClaim; isOwn: boolean; changed(): void }) {
  const { queue, may, claim, isOwn, changed } = props
  const { id, client_id, messages, age, ttl } = claim
  const [isOpen, setOpen] = useState(false)
  const words = text.claims
  return (
    <li class="message">
      <div class="message-head">
        <code>{id}</code>
        <span>
          {words.heldBy} {client_id === null ? words.unknown : <code>{client_id}</code>}
        </span>
        {isOwn && <span class="badge">{words.here}</span>}
        <span>{words.holds(messages)}</span>
        <span>
          {text.messages.age} {durationOf(age)}
        </span>
        <span>
          {text.messages.left} {durationOf(ttl - age)}
        </span>
        <span class="message-actions">
          {may('claims:get') && (
            <button type="button" class="plain" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
              {words.messages}
            </button>
          )}
          {!isOpen && <Release {...{ queue, may, id }} released={changed} />}
        </span>
      </div>
      {isOpen && <Opened {...{ queue, may, id, changed }} />}
    </li>
  )
}

/** What a claim holds by now. Operators release one whose worker is lost. */
function Opened({ queue, may, id, changed }: OfQueue & { id: string; changed(): void }) {
  const [isEnded, setEnded] = useState(false)
  const load = async (signal: AbortSignal) => (await queue.getClaim(id, { signal })) ?? 'gone'
  const { value, error, reload } = useLoaded(isEnded ? null : load, id, LOOK_AGAIN)
  const goOn = (isOver: boolean) => {
    if (isOver) setEnded(true)
    else reload()
    changed()
  }
  if (isEnded || value === 'gone') return <p>{text.claims.gone}</p>
  return (
    <>
      <Trouble error={error} />
      {value !== null && (
        <>
          <HeldMessages
            {...{ queue, may, id, messages: value.messages }}
            deleted={() => goOn(value.messages.length === 1)}
          />
          <div class="actions">
            <Release {...{ queue, may, id }} released={() => goOn(true)} />
            <span class="hint">{text.claims.ends(durationOf(value.ttl - value.age))}</span>
          </div>
        </>
      )}
    </>
  )
}

function HeldMessages({ queue, may, id: claimId, messages, deleted }: OfQueue & Held & { deleted(id: string): void }) {
  return (
    <ul class="messages">
      {messages.map(({ id, body }) => (
        <li key={id} class="message">
          <div class="message-head">
            <code>{id}</code>
            {may('messages:delete') && (
              <ActionButton
                label={text.claims.done}
                tone="plain"
                act={() => queue.deleteMessage(id, claimId).then(() => deleted(id))}
              />
            )}
          </div>
          <JsonTree value={body} />
        </li>
      ))}
    </ul>
  )
}

function Release({ queue, may, id, released }: OfQueue & { id: string; released(): void }) {
  if (!may('claims:delete')) return null
  return <ActionButton label={text.claims.release} act={() => queue.releaseClaim(id).then(released)} />
}

/** By the id that a message or a log says. */
function Look({ queue, may }: OfQueue) {
  const [id, setId] = useState('')
  /** A number tells one look from the next. */
  const [asked, setAsked] = useState<readonly [id: string, turn: number] | null>(null)
  const words = text.claims
  const look = useAction(async () => setAsked([id.trim(), (asked?.[1] ?? 0) + 1]))
  return (
    <details class="panel">
      <summary>{words.look}</summary>
      <Form action={look} submit={words.show} isBar>
        <Field label={words.id} value={id} change={setId} required />
      </Form>
      {asked !== null && <Opened key={asked[1]} {...{ queue, may, id: asked[0] }} changed={() => undefined} />}
    </details>
  )
}
