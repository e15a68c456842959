import type { HomeResource } from './home-document.ts'
import { v2Resources } from './v2.ts'

/** `rel/message_get` is missing although the route is there, and `rel/queue` allows no GET although it does. */
const NOT_LISTED = new Set([
  'rel/queue_share',
  'rel/queue_purge',
  'rel/message_get',
  'rel/subscriptions_get',
  'rel/subscriptions_post',
  'rel/subscription',
  'rel/subscription_patch',
])

export const v1_1Resources: readonly HomeResource[] = v2Resources
  .filter(({ relation }) => !NOT_LISTED.has(relation))
  .map((resource) => (resource.relation === 'rel/queue' ? { ...resource, allow: ['PUT', 'DELETE'] } : resource))
