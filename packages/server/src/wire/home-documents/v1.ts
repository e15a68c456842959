import type { HomeResource } from './home-document.ts'

const Q = '/queues/{queue_name}'

/** Words are joined by hyphens here, and there is nothing for operators. (contract http.md 2.2) */
export const v1Resources: readonly HomeResource[] = [
  {
    relation: 'rel/queues',
    template: '/queues{?marker,limit,detailed}',
    vars: { marker: 'param/marker', limit: 'param/queue_limit', detailed: 'param/detailed' },
    allow: ['GET'],
  },
  { relation: 'rel/queue', template: Q, allow: ['GET', 'HEAD', 'PUT', 'DELETE'] },
  { relation: 'rel/queue-metadata', template: `${Q}/metadata`, allow: ['GET', 'PUT'] },
  { relation: 'rel/queue-stats', template: `${Q}/stats`, allow: ['GET'] },
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
  { relation: 'rel/post-messages', template: `${Q}/messages`, allow: ['POST'], acceptsPost: true },
  {
    relation: 'rel/claim',
    template: `${Q}/claims{?limit}`,
    vars: { limit: 'param/claim_limit' },
    allow: ['POST'],
    acceptsPost: true,
  },
]
