/** Where a subscription is confirmed: what its subscriber is sent leads there. */
import type { QueueKey } from '../../model/model.ts'

/** A page for people, whose link came by mail. The values of the signed request are in the fragment of the link. */
export const CONFIRMATION_PAGE = '/v2/confirm'

/** Of the PUT. (contract notifications.md 5) */
export function confirmationPath({ kind, name }: QueueKey, subscriptionId: string): string {
  return `/v2/${kind}s/${name}/subscriptions/${subscriptionId}/confirm`
}
