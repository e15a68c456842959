import { useState } from 'preact/hooks'
import type { Claim, ShownClaim } from 'zaqar-client'
import { Field } from '../parts/field.tsx'
import { Form } from '../parts/form.tsx'
import { JsonTree } from '../parts/json-tree.tsx'
import { Trouble } from '../parts/trouble.tsx'
import { useAction } from '../parts/use-action.ts'
import type { Session } from '../session.ts'
import { text } from '../text.ts'

interface Held {
  readonly id: string
  readonly messages: readonly Claim['messages'][number][]
}

/** Claims by hand: take some, look at each, and delete or give back. */
export function ClaimTab({ session, name }: { session: Session; name: string }) {
  const queue = session.zaqar.queue(name)
  const [limit, setLimit] = useState('1')
  const [ttl, setTtl] = useState('300')
  const [grace, setGrace] = useState('60')
  const [held, setHeld] = useState<readonly Held[]>([])
  const [isNothing, setNothing] = useState(false)
  const words = text.claims
  const take = useAction(async () => {
    const claim = await queue.claim({ limit: Number(limit), ttl: Number(ttl), grace: Number(grace) })
    setNothing(claim === null)
    if (claim !== null) setHeld((before) => [{ id: claim.id, messages: claim.messages }, ...before])
  })
  const change = (id: string, messages: Held['messages']) =>
    setHeld((before) =>
      before.flatMap((one) => {
        if (one.id !== id) return [one]
        return messages.length === 0 ? [] : [{ id, messages }]
      }),
    )
  return (
    <>
      <p class="hint">{words.intro}</p>
      <Form action={take} submit={words.take} isBar result={isNothing ? words.nothing : ''}>
        <Field label={words.limit} type="number" min="1" max="20" value={limit} change={setLimit} />
        <Field label={words.ttl} type="number" min="60" value={ttl} change={setTtl} />
        <Field label={words.grace} type="number" min="60" value={grace} change={setGrace} />
      </Form>
      {held.map((claim) => (
        <HeldClaim
          key={claim.id}
          claim={claim}
          release={() => queue.releaseClaim(claim.id).then(() => change(claim.id, []))}
          renew={() => queue.renewClaim(claim.id, { ttl: Number(ttl), grace: Number(grace) })}
          done={(id) =>
            queue.deleteMessage(id, claim.id).then(() =>
              change(
                claim.id,
                claim.messages.filter((one) => one.id !== id),
              ),
            )
          }
        />
      ))}
      <Look look={(id) => queue.getClaim(id)} release={(id) => queue.releaseClaim(id)} />
    </>
  )
}

interface HeldClaimProps {
  readonly claim: Held
  release(): Promise<void>
  renew(): Promise<void>
  done(id: string): Promise<void>
}

function HeldClaim({ claim: { id, messages }, release, renew, done }: HeldClaimProps) {
  const releasing = useAction(release)
  const renewing = useAction(renew)
  const words = text.claims
  return (
    <section class="panel">
      <h2>{words.claim(id)}</h2>
      <ul class="messages">
        {messages.map((message) => (
          <HeldMessage key={message.id} id={message.id} body={message.body} done={() => done(message.id)} />
        ))}
      </ul>
      <Trouble error={releasing.error ?? renewing.error} />
      <div class="actions">
        <button type="button" disabled={renewing.isRunning} onClick={renewing.run}>
          {words.renew}
        </button>
        <button type="button" disabled={releasing.isRunning} onClick={releasing.run}>
          {words.release}
        </button>
      </div>
    </section>
  )
}

function HeldMessage({ id, body, done }: { id: string; body: unknown; done(): Promise<void> }) {
  const action = useAction(done)
  return (
    <li class="message">
      <div class="message-head">
        <code>{id}</code>
        <button type="button" class="plain" disabled={action.isRunning} onClick={action.run}>
          {text.claims.done}
        </button>
      </div>
      <Trouble error={action.error} />
      <JsonTree value={body} />
    </li>
  )
}

/** What a claim of somebody else holds; operators release one whose worker is lost. */
function Look(props: { look(id: string): Promise<ShownClaim | null>; release(id: string): Promise<void> }) {
  const [id, setId] = useState('')
  const [claim, setClaim] = useState<ShownClaim | 'gone' | null>(null)
  const words = text.claims
  const look = useAction(async () => setClaim((await props.look(id)) ?? 'gone'))
  const release = useAction(async () => {
    await props.release(id)
    setClaim('gone')
  })
  return (
    <details class="panel">
      <summary>{words.look}</summary>
      <Form action={look} submit={words.show} isBar>
        <Field label={words.id} value={id} change={setId} required />
      </Form>
      <Trouble error={release.error} />
      {claim === 'gone' && <p>{words.gone}</p>}
      {claim !== null && claim !== 'gone' && (
        <>
          <p>{words.ends(claim.ttl - claim.age)}</p>
          <ul class="messages">
            {claim.messages.map((message) => (
              <li key={message.id} class="message">
                <code>{message.id}</code>
                <JsonTree value={message.body} />
              </li>
            ))}
          </ul>
          <button type="button" disabled={release.isRunning} onClick={release.run}>
            {words.release}
          </button>
        </>
      )}
    </details>
  )
}
