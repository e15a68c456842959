import { useState } from 'preact/hooks'
import type { Subscription } from 'zaqar-client'
import { durationOf } from '../duration.ts'
import { ActionButton } from '../parts/action-button.tsx'
import { Confirm } from '../parts/confirm.tsx'
import { CopyButton } from '../parts/copy-button.tsx'
import { JsonTree } from '../parts/json-tree.tsx'
import { Trouble } from '../parts/trouble.tsx'
import type { May } from '../rights.ts'
import { text } from '../text.ts'
import { timeText } from '../time-text.ts'
import { useLoaded } from '../use-loaded.ts'
import { Deliveries } from './deliveries.tsx'
import { Failures } from './failures.tsx'
import { type Source, topicOf } from './list-page.tsx'
import type { TabProps } from './queue-page.tsx'
import { SubscriptionDialog } from './subscription-dialog.tsx'
import { taken } from './taken.ts'

/** Between two looks, in seconds. */
const LOOK_AGAIN = 5
/** More are not shown: this page is for people. */
const MOST = 100

export function SubscriptionsTab({ session, kind, name }: TabProps) {
  const topic = topicOf(session, kind, name)
  const [isNew, setNew] = useState(false)
  const { value, error, reload } = useLoaded((signal) => taken(topic.subscriptions({ signal }), MOST), name, LOOK_AGAIN)
  const words = text.subscriptions
  return (
    <>
      {session.may('subscription:create') && (
        <div class="bar">
          <button type="button" class="primary" onClick={() => setNew(true)}>
            {words.add}
          </button>
        </div>
      )}
      <Trouble error={error} />
      {value === null && error === null && <p class="empty">{text.loading}</p>}
      {value?.length === 0 && <p class="empty">{words.none}</p>}
      <ul class="messages" aria-label={words.list}>
        {value?.map((subscription) => (
          <Item key={subscription.id} topic={topic} may={session.may} subscription={subscription} changed={reload} />
        ))}
      </ul>
      {value?.length === MOST && <p class="hint">{words.first(MOST)}</p>}
      {isNew && <SubscriptionDialog topic={topic} subscription={null} changed={reload} close={() => setNew(false)} />}
    </>
  )
}

interface ItemProps {
  readonly topic: Source
  readonly may: May
  readonly subscription: Subscription
  changed(): void
}

function Item({ topic, may, subscription, changed }: ItemProps) {
  const { id, subscriber, ttl, age, options, confirmed, delivery } = subscription
  const [view, setView] = useState<'deliveries' | 'failures' | null>(null)
  const [asked, setAsked] = useState<'edit' | 'delete' | null>(null)
  const [secret, setSecret] = useState<{ secret: string; previous_until: string | null } | null>(null)
  const words = text.subscriptions
  const toggle = (one: 'deliveries' | 'failures') => setView(view === one ? null : one)
  return (
    <li class="message">
      <div class="message-head">
        <bdi>
          <strong>{subscriber}</strong>
        </bdi>
        <span class={confirmed ? 'badge good' : 'badge'}>{confirmed ? words.confirmed : words.unconfirmed}</span>
        {delivery !== undefined && (
          <span class="badge bad">
            {delivery.paused_until === null
              ? words.failing(delivery.failures)
              : words.paused(timeText(delivery.paused_until))}
          </span>
        )}
        <span>
          {text.messages.left} {durationOf(ttl - age)}
        </span>
      </div>
      {delivery !== undefined && <p class="hint">{words.since(delivery.failures, timeText(delivery.since))}</p>}
      {Object.keys(options).length > 0 && <JsonTree value={options} />}
      {secret !== null && <Secret {...secret} />}
      <div class="actions">
        {may('subscription:confirm') && (
          <ActionButton
            label={confirmed ? words.unconfirm : words.confirm}
            act={() => topic.confirmSubscription(id, !confirmed).then(changed)}
          />
        )}
        {may('subscription:get') && (
          <>
            <button type="button" aria-expanded={view === 'deliveries'} onClick={() => toggle('deliveries')}>
              {words.deliveries}
            </button>
            <button type="button" aria-expanded={view === 'failures'} onClick={() => toggle('failures')}>
              {words.failures}
            </button>
          </>
        )}
        {may('subscription:update') && (
          <>
            <button type="button" onClick={() => setAsked('edit')}>
              {text.edit}
            </button>
            <ActionButton label={words.secret} act={async () => setSecret(await topic.makeSecret(id))} />
            <ActionButton
              label={words.dropSecret}
              done={words.secretDropped}
              act={() => topic.deleteSecret(id).then(() => setSecret(null))}
            />
          </>
        )}
        {may('subscription:delete') && (
          <button type="button" class="danger" onClick={() => setAsked('delete')}>
            {text.delete}
          </button>
        )}
      </div>
      {view === 'deliveries' && <Deliveries topic={topic} id={id} />}
      {view === 'failures' && <Failures topic={topic} id={id} mayReplay={may('subscription:update')} />}
      {asked === 'edit' && (
        <SubscriptionDialog topic={topic} subscription={subscription} changed={changed} close={() => setAsked(null)} />
      )}
      {asked === 'delete' && (
        <Confirm
          title={words.delete}
          warning={words.deleteWarning(subscriber)}
          submit={text.delete}
          act={() => topic.deleteSubscription(id).then(changed)}
          close={() => setAsked(null)}
        />
      )}
    </li>
  )
}

/** The service shows it this once. */
function Secret({ secret, previous_until }: { secret: string; previous_until: string | null }) {
  const words = text.subscriptions
  return (
    <div class="panel">
      <p>{words.secretShown}</p>
      <p>
        <code>{secret}</code>
      </p>
      {previous_until !== null && <p class="hint">{words.previous(timeText(previous_until))}</p>}
      <div class="actions">
        <CopyButton value={secret} />
      </div>
    </div>
  )
}
