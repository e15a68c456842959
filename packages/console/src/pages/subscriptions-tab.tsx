import { useState } from 'preact/hooks'
import type { Subscription } from 'zaqar-client'
import { durationOf } from '../duration.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Area, Field } from '../parts/field.tsx'
import { Form } from '../parts/form.tsx'
import { JsonTree } from '../parts/json-tree.tsx'
import { Trouble } from '../parts/trouble.tsx'
import { useAction } from '../parts/use-action.ts'
import { text } from '../text.ts'
import { useLoaded } from '../use-loaded.ts'
import { type Source, topicOf } from './list-page.tsx'
import type { TabProps } from './queue-page.tsx'

/** Between two looks, in seconds. */
const LOOK_AGAIN = 5
/** More are not shown: this page is for people. */
const MOST = 500

export function SubscriptionsTab({ session, kind, name }: TabProps) {
  const topic = topicOf(session, kind, name)
  const [isNew, setNew] = useState(false)
  const { value, error, reload } = useLoaded((signal) => taken(topic.subscriptions({ signal }), MOST), name, LOOK_AGAIN)
  const words = text.subscriptions
  return (
    <>
      <div class="bar">
        <button type="button" class="primary" onClick={() => setNew(true)}>
          {words.add}
        </button>
      </div>
      <Trouble error={error} />
      {value?.length === 0 && <p class="empty">{words.none}</p>}
      <ul class="messages" aria-label={words.list}>
        {value?.map((subscription) => (
          <Item key={subscription.id} topic={topic} subscription={subscription} changed={reload} />
        ))}
      </ul>
      {isNew && (
        <NewSubscription
          topic={topic}
          close={() => {
            setNew(false)
            reload()
          }}
        />
      )}
    </>
  )
}

function Item({ topic, subscription, changed }: { topic: Source; subscription: Subscription; changed(): void }) {
  const { id, subscriber, ttl, age, options, confirmed, delivery } = subscription
  const [view, setView] = useState<'deliveries' | 'failures' | null>(null)
  const [secret, setSecret] = useState<string | null>(null)
  const words = text.subscriptions
  const confirm = useAction(() => topic.confirmSubscription(id, !confirmed).then(changed))
  const remove = useAction(() => topic.deleteSubscription(id).then(changed))
  const rotate = useAction(async () => setSecret((await topic.makeSecret(id)).secret))
  const drop = useAction(() => topic.deleteSecret(id).then(() => setSecret(null)))
  return (
    <li class="message">
      <div class="message-head">
        <bdi>
          <strong>{subscriber}</strong>
        </bdi>
        <span class={confirmed ? 'badge good' : 'badge'}>{confirmed ? words.confirmed : words.unconfirmed}</span>
        {delivery !== undefined && (
          <span class="badge bad">
            {delivery.paused_until === null ? words.failing(delivery.failures) : words.paused(delivery.paused_until)}
          </span>
        )}
        <span>
          {text.messages.left} {durationOf(ttl - age)}
        </span>
      </div>
      {Object.keys(options).length > 0 && <JsonTree value={options} />}
      <Trouble error={confirm.error ?? remove.error ?? rotate.error ?? drop.error} />
      {secret !== null && (
        <p>
          {words.secretShown} <code>{secret}</code>
        </p>
      )}
      <div class="actions">
        <button type="button" onClick={confirm.run}>
          {confirmed ? words.unconfirm : words.confirm}
        </button>
        <button type="button" onClick={() => setView(view === 'deliveries' ? null : 'deliveries')}>
          {words.deliveries}
        </button>
        <button type="button" onClick={() => setView(view === 'failures' ? null : 'failures')}>
          {words.failures}
        </button>
        <button type="button" onClick={rotate.run}>
          {words.secret}
        </button>
        <button type="button" onClick={drop.run}>
          {words.dropSecret}
        </button>
        <button type="button" class="danger" onClick={remove.run}>
          {words.delete}
        </button>
      </div>
      {view === 'deliveries' && <Deliveries topic={topic} id={id} />}
      {view === 'failures' && <Failures topic={topic} id={id} />}
    </li>
  )
}

function Deliveries({ topic, id }: { topic: Source; id: string }) {
  const { value, error } = useLoaded((signal) => topic.deliveries(id, { signal }), id, LOOK_AGAIN)
  return (
    <div class="panel">
      <Trouble error={error} />
      {value?.length === 0 && <p class="empty">{text.subscriptions.noDeliveries}</p>}
      {value?.map((delivery) => (
        <JsonTree key={`${delivery.at} ${delivery.message_ids.join()}`} value={delivery} />
      ))}
    </div>
  )
}

function Failures({ topic, id }: { topic: Source; id: string }) {
  const { value, error, reload } = useLoaded((signal) => taken(topic.failures(id, { signal }), MOST), id)
  const [replayed, setReplayed] = useState<number | null>(null)
  const words = text.subscriptions
  const replay = async (ids?: readonly string[]) => {
    let count = 0
    for (let isDone = false; !isDone; ) {
      const answer = await topic.replay(id, ids === undefined ? {} : { ids })
      count += answer.replayed.length
      isDone = answer.done || answer.replayed.length === 0
      setReplayed(count)
    }
    reload()
  }
  const all = useAction(() => replay())
  return (
    <div class="panel">
      <Trouble error={error ?? all.error} />
      {value?.length === 0 && <p class="empty">{words.noFailures}</p>}
      {value !== null && value.length > 0 && (
        <button type="button" disabled={all.isRunning} onClick={all.run}>
          {words.replay}
        </button>
      )}
      <output>{replayed === null ? '' : words.replayed(replayed)}</output>
      {value?.map((failure) => (
        <div key={failure.id} class="message-head">
          <JsonTree value={failure} />
          <button type="button" class="plain" onClick={() => void replay([failure.id])}>
            {words.replayOne}
          </button>
        </div>
      ))}
    </div>
  )
}

function NewSubscription({ topic, close }: { topic: Source; close(): void }) {
  const [subscriber, setSubscriber] = useState('')
  const [ttl, setTtl] = useState('3600')
  const [options, setOptions] = useState('{}')
  const words = text.subscriptions
  const action = useAction(async () => {
    await topic.addSubscription({ subscriber, ttl: Number(ttl), options: objectIn(options) })
    close()
  })
  return (
    <Dialog title={words.add} close={close}>
      <Form action={action} submit={words.add}>
        <Field
          label={words.subscriber}
          hint={words.subscriberHint}
          value={subscriber}
          change={setSubscriber}
          required
        />
        <Field label={words.ttl} type="number" min="60" value={ttl} change={setTtl} required />
        <Area label={words.options} hint={words.optionsHint} rows={4} value={options} change={setOptions} />
      </Form>
    </Dialog>
  )
}

/** @throws Error with a sentence for people */
function objectIn(written: string): Record<string, unknown> {
  try {
    const value = JSON.parse(written)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  } catch {
    // The same is wrong.
  }
  throw new Error(text.subscriptions.objectWanted)
}

async function taken<Item>(source: AsyncGenerator<Item, void>, most: number): Promise<Item[]> {
  const items: Item[] = []
  for await (const item of source) {
    items.push(item)
    if (items.length === most) break
  }
  return items
}
