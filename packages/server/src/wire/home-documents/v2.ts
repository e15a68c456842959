import { adminResources } from './admin.ts'
import type { HomeResource } from './home-document.ts'

const Q = '/queues/{queue_name}'

/**
 * In upstream's order and with its oddities, which clients may have learnt: `claim` for `claim_id`, a stray `limit`.
 */
export const v2Resources: readonly HomeResource[] = [
  {
    relation: 'rel/queues',
    template: '/queues{?marker,limit,detailed}',
    vars: { marker: 'param/marker', limit: 'param/queue_limit', detailed: 'param/detailed' },
    allow: ['GET'],
  },
  { relation: 'rel/queue', template: Q, allow: ['GET', 'PUT', 'DELETE', 'PATCH'] },
  { relation: 'rel/queue_stats', template: `${Q}/stats`, allow: ['GET'] },
  { relation: 'rel/queue_share', template: `${Q}/share`, allow: ['POST'], acceptsPost: true },
  { relation: 'rel/queue_purge', template: `${Q}/purge`, allow: ['POST'], acceptsPost: true },
  {
    relation: 'rel/messages',
    template: `${Q}/messages{?marker,limit,echo,include_claimed}`,
    vars: {
      marker: 'param/marker',
      limit: 'param/messages_limit',
      echo: 'param/echo',
      include_claimed: 'param/include_claimed',
    },
    allow: ['GET'],
  },
  { relation: 'rel/post_messages', template: `${Q}/messages`, allow: ['POST'], acceptsPost: true },
  {
    relation: 'rel/messages_delete',
    template: `${Q}/messages{?ids,pop}`,
    vars: { ids: 'param/ids', pop: 'param/pop' },
    allow: ['DELETE'],
  },
  {
    relation: 'rel/message_delete',
    template: `${Q}/messages/{message_id}{?claim}`,
    vars: { message_id: 'param/message_id', claim: 'param/claim_id' },
    allow: ['DELETE'],
  },
  {
    relation: 'rel/message_get',
    template: `${Q}/messages/{message_id}`,
    vars: { message_id: 'param/message_id' },
    allow: ['GET'],
  },
  { relation: 'rel/claim', template: `${Q}/claims/{claim_id}`, vars: { claim_id: 'param/claim_id' }, allow: ['GET'] },
  {
    relation: 'rel/post_claim',
    template: `${Q}/claims{?limit}`,
    vars: { limit: 'param/claim_limit' },
    allow: ['POST'],
    acceptsPost: true,
  },
  {
    relation: 'rel/patch_claim',
    template: `${Q}/claims/{claim_id}`,
    vars: { claim_id: 'param/claim_id' },
    allow: ['PATCH'],
    acceptsPost: true,
  },
  {
    relation: 'rel/delete_claim',
    template: `${Q}/claims/{claim_id}`,
    vars: { claim_id: 'param/claim_id' },
    allow: ['DELETE'],
  },
  {
    relation: 'rel/subscriptions_get',
    template: `${Q}/subscriptions{?marker,limit}`,
    vars: { marker: 'param/marker', limit: 'param/subscription_limit' },
    allow: ['GET'],
  },
  {
    relation: 'rel/subscriptions_post',
    template: `${Q}/subscriptions`,
    vars: { limit: 'param/subscription_limit' },
    allow: ['POST'],
    acceptsPost: true,
  },
  {
    relation: 'rel/subscription',
    template: `${Q}/subscriptions/{subscriptions_id}`,
    vars: { subscriptions_id: 'param/subscriptions_id' },
    allow: ['GET', 'DELETE'],
  },
  {
    relation: 'rel/subscription_patch',
    template: `${Q}/subscriptions/{subscriptions_id}`,
    vars: { subscriptions_id: 'param/subscriptions_id' },
    allow: ['PATCH'],
    acceptsPost: true,
  },
  { relation: 'rel/ping', template: '/ping', allow: ['GET'] },
  ...adminResources,
]
