import type { HomeResource } from './home-document.ts'

const METHODS = ['GET', 'PUT', 'PATCH', 'DELETE']

/** The resources for operators, which come last in every version that has them. (contract http.md 2.2) */
export const adminResources: readonly HomeResource[] = [
  {
    relation: 'rel/pools',
    template: '/pools{?detailed,limit,marker}',
    vars: { detailed: 'param/detailed', limit: 'param/pool_limit', marker: 'param/marker' },
    allow: ['GET'],
    admin: true,
  },
  {
    relation: 'rel/pool',
    template: '/pools/{pool_name}',
    vars: { pool_name: 'param/pool_name' },
    allow: METHODS,
    admin: true,
  },
  {
    relation: 'rel/flavors',
    template: '/flavors{?detailed,limit,marker}',
    vars: { detailed: 'param/detailed', limit: 'param/flavor_limit', marker: 'param/marker' },
    allow: ['GET'],
    admin: true,
  },
  {
    relation: 'rel/flavor',
    template: '/flavors/{flavor_name}',
    vars: { flavor_name: 'param/flavor_name' },
    allow: METHODS,
    admin: true,
  },
  { relation: 'rel/health', template: '/health', allow: ['GET'], isPlain: true, admin: true },
]
