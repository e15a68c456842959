import { answer } from '../../../core/operations/service/ping.ts'
import { parseJson, printJson } from '../../../model/json.ts'
import type { Method } from '../../door.ts'
import { homeDocument } from '../../home-documents/home-document.ts'
import { ref } from '../../openapi/json-schema.ts'
import { Type } from '../../typed-schema.ts'
import type { ApiVersion } from '../../versions.ts'
import { type AnySocketDoor, socketDoor } from '../socket-door.ts'
import { type OverHttp, overHttpDoor } from './over-http-door.ts'

const SUBSCRIPTION = '/queues/:queue/subscriptions/:subscription'

type Terms = Omit<OverHttp, 'action' | 'door' | 'topicDoor' | 'doors'>

const CHANGES: Terms = {
  documentKey: 'changes',
  document: Type.Object({ changes: Type.Array(Type.Unknown()) }),
  contentType: 'application/openstack-messaging-v2.0-json-patch',
}
/** Metadata filters are for HTTP alone. */
const TOPICS: Terms = {
  example: {
    body: { limit: 1 },
    status: 200,
    answer: {
      topics: [{ name: 'news', href: '/v2/topics/news' }],
      links: [{ rel: 'next', href: '/v2/topics?limit=1&marker=news' }],
    },
  },
}
const METADATA: Terms = {
  documentKey: 'metadata',
  document: Type.Object({ metadata: Type.Optional(Type.Object({})) }),
}
const SHARE: Terms = {
  document: Type.Partial(
    Type.Object({
      methods: Type.Unknown(),
      paths: Type.Unknown(),
      expires: Type.Unknown(),
      project_id: Type.Unknown(),
    }),
  ),
}
const PURGE: Terms = { document: Type.Object({ resource_types: Type.Optional(Type.Array(Type.Unknown())) }) }
const NO_CALLER: Terms = { needsNoCaller: true }

/**
 * What upstream takes and never answers, and what it does not have: each action, and the request of HTTP that it stands
 * for. (contract websocket.md 6.5)
 */
const FURTHER: readonly (readonly [action: string, method: Method, path: string, terms?: Terms])[] = [
  ['queue_update', 'PATCH', '/queues/:queue', CHANGES],
  ['queue_share', 'POST', '/queues/:queue/share', SHARE],
  ['message_redrive', 'POST', '/queues/:queue/redrive'],
  ['claim_list', 'GET', '/queues/:queue/claims'],
  ['subscription_update', 'PATCH', SUBSCRIPTION],
  ['subscription_confirm', 'PUT', `${SUBSCRIPTION}/confirm`],
  ['subscription_failures', 'GET', `${SUBSCRIPTION}/failures`],
  ['subscription_replay', 'POST', `${SUBSCRIPTION}/replay`],
  ['subscription_deliveries', 'GET', `${SUBSCRIPTION}/deliveries`],
  ['subscription_secret_create', 'POST', `${SUBSCRIPTION}/secret`],
  ['subscription_secret_delete', 'DELETE', `${SUBSCRIPTION}/secret`],
  ['topic_list', 'GET', '/topics', TOPICS],
  ['topic_create', 'PUT', '/topics/:queue', METADATA],
  ['topic_get', 'GET', '/topics/:queue'],
  ['topic_update', 'PATCH', '/topics/:queue', CHANGES],
  ['topic_delete', 'DELETE', '/topics/:queue'],
  ['topic_get_stats', 'GET', '/topics/:queue/stats'],
  ['topic_purge', 'POST', '/topics/:queue/purge', PURGE],
  ['pool_list', 'GET', '/pools', { strayName: 'pool_name' }],
  ['pool_create', 'PUT', '/pools/:pool'],
  ['pool_get', 'GET', '/pools/:pool'],
  ['pool_update', 'PATCH', '/pools/:pool'],
  ['pool_delete', 'DELETE', '/pools/:pool'],
  ['pool_drain', 'PUT', '/pools/:pool/drain'],
  ['pool_drain_get', 'GET', '/pools/:pool/drain'],
  ['pool_drain_cancel', 'DELETE', '/pools/:pool/drain'],
  ['pool_rebalance', 'PUT', '/rebalance'],
  ['pool_rebalance_get', 'GET', '/rebalance'],
  ['pool_rebalance_cancel', 'DELETE', '/rebalance'],
  ['flavor_list', 'GET', '/flavors', { strayName: 'flavor_name' }],
  ['flavor_create', 'PUT', '/flavors/:flavor'],
  ['flavor_get', 'GET', '/flavors/:flavor'],
  ['flavor_update', 'PATCH', '/flavors/:flavor'],
  ['flavor_delete', 'DELETE', '/flavors/:flavor'],
  ['permission_list', 'GET', '/permissions'],
  ['ping_node', 'GET', '/ping', NO_CALLER],
  ['check_node_health', 'GET', '/health', NO_CALLER],
]

/** Of the actions of v2, those that its doors are there for: what is for operators may be served elsewhere. */
export function furtherDoors(version: ApiVersion): readonly AnySocketDoor[] {
  const find = (method: Method, path: string) =>
    version.doors.find((one) => one.method === method && one.path === path && one.when === undefined)
  const overHttp = FURTHER.flatMap(([action, method, path, terms]) => {
    const door = find(method, path)
    const topicDoor = path.startsWith(SUBSCRIPTION) ? find(method, path.replace('/queues', '/topics')) : undefined
    const { doors } = version
    return door === undefined ? [] : [overHttpDoor({ ...terms, action, door, doors, ...(topicDoor && { topicDoor }) })]
  })
  return [...overHttp, homeDoor(version)]
}

function homeDoor({ prefix, home }: ApiVersion): AnySocketDoor {
  const document = () => parseJson(homeDocument(prefix, home))
  return socketDoor({
    action: 'get_home_doc',
    operation: answer,
    body: Type.Object({}),
    bodyIsOptional: true,
    needsNoCaller: true,
    target: () => ({ resource: { method: 'GET', path: `${prefix}/` }, names: {} }),
    decode: () => undefined,
    encode: () => ({ status: 200, body: printJson(document()) }),
    describe: () => ({
      summary: 'List the resources of this version over HTTP',
      isAddition: true,
      answers: { 200: { description: 'The document.', schema: ref('HomeDocument') } },
      example: { body: {}, status: 200, answer: document() },
    }),
  })
}
