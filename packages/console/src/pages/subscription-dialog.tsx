import { useState } from 'preact/hooks'
import type { Subscription } from 'zaqar-client'
import { objectIn } from '../exact-json.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Area, Field } from '../parts/field.tsx'
import { Form } from '../parts/form.tsx'
import { useAction } from '../parts/use-action.ts'
import { text } from '../text.ts'
import type { Source } from './list-page.tsx'

interface SubscriptionDialogProps {
  readonly topic: Source
  /** Null: a new one. */
  readonly subscription: Subscription | null
  changed(): void
  close(): void
}

const USUAL_TTL = 3_600

/** Makes a subscription, or changes one: only what differs is sent. */
export function SubscriptionDialog({ topic, subscription, changed, close }: SubscriptionDialogProps) {
  const before = { subscriber: '', ttl: USUAL_TTL, options: {}, ...subscription }
  const [subscriber, setSubscriber] = useState(before.subscriber)
  const [ttl, setTtl] = useState(String(before.ttl))
  const [options, setOptions] = useState(JSON.stringify(before.options, null, 2))
  const words = text.subscriptions
  const action = useAction(async () => {
    const terms = { subscriber, ttl: Number(ttl), options: objectIn(options, words.objectWanted) }
    if (subscription === null) await topic.addSubscription(terms)
    else {
      await topic.updateSubscription(subscription.id, {
        ttl: terms.ttl,
        options: terms.options,
        ...(subscriber !== before.subscriber && { subscriber }),
      })
    }
    changed()
    close()
  })
  const title = subscription === null ? words.add : words.edit
  return (
    <Dialog title={title} close={close}>
      <Form action={action} submit={subscription === null ? words.add : text.save}>
        <Field
          label={words.subscriber}
          hint={subscription === null ? words.subscriberHint : words.subscriberChange}
          value={subscriber}
          change={setSubscriber}
          required
        />
        <Field label={words.ttl} hint={words.ttlHint} type="number" min="60" value={ttl} change={setTtl} required />
        <Area label={words.options} hint={words.optionsHint} rows={6} value={options} change={setOptions} />
      </Form>
    </Dialog>
  )
}
