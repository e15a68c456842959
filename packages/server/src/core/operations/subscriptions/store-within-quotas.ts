import type { QueueKey, Subscription } from '../../../model/model.ts'
import type { Context } from '../../execute.ts'
import { documentBytes } from '../../project-quotas.ts'

interface Stored {
  readonly created: boolean
  readonly subscription: Subscription
}

/**
 * Runs what stores a subscription, where the project may keep so much. `options`: JSON text of an object.
 * @throws ZaqarError when it may not
 */
export function storeWithinQuotas(
  key: QueueKey,
  { subscriber, options }: Pick<Subscription, 'subscriber' | 'options'>,
  store: () => Promise<Stored>,
  { now, quotas }: Context,
): Promise<Stored> {
  if (quotas === null) return store()
  const bytes = Buffer.byteLength(subscriber) + documentBytes(options)
  return quotas.add(key.project, now, { bytes, run: store, hasAdded: ({ created }) => created })
}
