import { projectName } from './rules/projects.ts'

/**
 * What can be wrong with a request, or with us. The code is the identity: wires map codes and kinds, tests look at
 * codes; the texts are for people. `{name}` is filled in from the parameters.
 */
export type ErrorKind =
  | 'invalid'
  /** It is not known who asks, or the credentials are not good for what is asked. */
  | 'unauthenticated'
  /** The same, and nothing may be given away: not even that there is something. */
  | 'hidden'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'too_fast'
  /** This service is not set up for it. */
  | 'not_offered'
  | 'unavailable'

export const errorTable = {
  'token.not_accepted': { kind: 'unauthenticated', message: 'The request you have made requires authentication.' },
  'token.unverified': { kind: 'unavailable', message: 'The Keystone service is temporarily unavailable.' },
  'signature.not_accepted': { kind: 'hidden', message: 'The signed URL does not admit this request.' },
  'policy.denied': { kind: 'forbidden', message: 'You are not authorized to complete this action.' },
  'limit.out_of_range': { kind: 'invalid', message: 'Limit must be at least 1 and no greater than {max}.' },
  'ids.count_out_of_range': {
    kind: 'invalid',
    message: 'ids parameter should have at least 1 and not greater than {max} values.',
  },
  'pop.out_of_range': { kind: 'invalid', message: 'Pop value must be at least 1 and may not be greater than {max}.' },
  'delete.nothing_named': {
    kind: 'invalid',
    message: 'The request should have either "ids" or "pop" parameter in the request, to be able to delete.',
  },
  'delete.ids_and_pop': {
    kind: 'invalid',
    message: 'pop and id params cannot be present together in the delete request.',
  },
  'delete.claim_ids_missing': {
    kind: 'invalid',
    message:
      'The request should have "claim_ids" beside "ids", and only then, since "message_delete_with_claim_id" is on.',
  },
  'metadata.too_large': { kind: 'invalid', message: 'Queue metadata is too large. Max size: {max}' },
  'metadata.invalid': { kind: 'invalid', message: '{problem}' },
  'patch.too_large': { kind: 'invalid', message: 'Queue metadata is too large. Max size: {max}' },
  'patch.result_invalid': { kind: 'invalid', message: '{problem}' },
  'patch.target_missing': {
    kind: 'conflict',
    message: 'Can not {op} {path}: the queue metadata has no such key "{key}".',
  },
  'messages.too_large': {
    kind: 'invalid',
    message: 'Message collection size is too large. Max size {max} for this queue, {ceiling} for any queue',
  },
  'messages.none': { kind: 'invalid', message: 'No messages to enqueue.' },
  'message.ttl_out_of_range': {
    kind: 'invalid',
    message: 'The TTL for a message may not exceed {max} seconds, and must be at least {min} seconds long.',
  },
  'message.delay_no_integer': { kind: 'invalid', message: 'The value of the "delay" field must be a int.' },
  'message.delay_out_of_range': {
    kind: 'invalid',
    message: 'The Delay for a message may not exceed {max} seconds, and must be at least {min} seconds long.',
  },
  'message.never_visible': {
    kind: 'invalid',
    message:
      'A message would never be seen: its delay of {delaySeconds} seconds is not shorter than its TTL of {ttlSeconds} seconds.',
  },
  'claim.ttl_out_of_range': {
    kind: 'invalid',
    message: 'The TTL for a claim may not exceed {max} seconds, and must be at least {min} seconds long.',
  },
  'claim.grace_out_of_range': {
    kind: 'invalid',
    message: 'The grace for a claim may not exceed {max} seconds, and must be at least {min} seconds long.',
  },
  'queue.malformed_name': {
    kind: 'invalid',
    message: 'The format of the submitted queue name or project id is not valid.',
  },
  'topic.malformed_name': {
    kind: 'invalid',
    message: 'The format of the submitted topic name or project id is not valid.',
  },
  'queue.not_found': { kind: 'not_found', message: 'Queue {queue} does not exist for project {project}' },
  'message.not_found': {
    kind: 'not_found',
    message: 'Message {id} does not exist in queue {queue} for project {project}',
  },
  'messages.not_found': {
    kind: 'not_found',
    message: 'Messages with the ids {ids} do not exist in queue {queue} for project {project}',
  },
  'claim.not_found': {
    kind: 'not_found',
    message: 'Claim {id} does not exist for queue {queue} of project {project}',
  },
  'message.not_claimed': {
    kind: 'invalid',
    message: 'A claim was specified, but the message is not currently claimed.',
  },
  'message.claim_not_live': { kind: 'invalid', message: 'The specified claim does not exist or has expired.' },
  'message.held': {
    kind: 'forbidden',
    message: 'This message is claimed; it cannot be deleted without a valid claim ID.',
  },
  'messages.held_otherwise': {
    kind: 'forbidden',
    message: 'Not all of the messages are claimed by the given claim IDs, so none was deleted.',
  },
  'messages.kept': {
    kind: 'forbidden',
    message: 'Not held by the claims that were given for them, so nothing was deleted and nothing was claimed: {ids}',
  },
  'claim.too_many_finished': { kind: 'invalid', message: '"delete" may name at most {max} messages.' },
  'wait.out_of_range': { kind: 'invalid', message: 'wait must be at least 0 and at most {max} seconds.' },
  'idempotency.other_messages': {
    kind: 'conflict',
    message: 'The Idempotency-Key {key} was used for other messages, which were stored.',
  },
  'redrive.limit_out_of_range': { kind: 'invalid', message: 'The limit must be at least 1.' },
  'redrive.rate_out_of_range': {
    kind: 'invalid',
    message: 'rate must be at least 1 and at most {max} messages per second.',
  },
  'subscriber.malformed': { kind: 'invalid', message: 'The subscriber of a subscription must be a URI.' },
  'subscriber.not_supported': {
    kind: 'invalid',
    message: 'The subscriber type of subscription must be supported in the list {types}.',
  },
  'subscription.options_invalid': { kind: 'invalid', message: '{problem}' },
  'subscription.options_too_large': {
    kind: 'invalid',
    message: 'The options of a subscription are too large. Max size: {max}',
  },
  'subscription.ttl_too_short': {
    kind: 'invalid',
    message: 'The TTL for a subscription must be at least {min} seconds long.',
  },
  'subscription.ttl_too_long': {
    kind: 'invalid',
    message: 'The TTL seconds for a subscription plus current time must be less than 9999-12-31 23:59:59.999999.',
  },
  'subscription.trust_unavailable': {
    kind: 'not_offered',
    message: 'A subscriber of the type {type} needs a trust of Keystone, and this service asks for none.',
  },
  'trust.needs_token': {
    kind: 'invalid',
    message:
      'A subscriber of the type {type} needs a trust of whoever asks for it, which Keystone makes for a token only.',
  },
  'trust.given': {
    kind: 'invalid',
    message: 'The service makes the trust of a subscription: the option "trust_id" can name no other.',
  },
  'trust.of_another': {
    kind: 'forbidden',
    message:
      'The subscriber is told in the name of another user. To have it told in yours, say "subscriber" and "options" together.',
  },
  'trust.refused': {
    kind: 'forbidden',
    message:
      'Keystone makes no trust with this token: that of an application credential, for example, cannot make any.',
  },
  'trust.host_unknown': {
    kind: 'invalid',
    message: 'Tokens go to services of this cloud only, and "{host}" is none in the catalogue.',
  },
  'subscription.exists': {
    kind: 'conflict',
    message: 'Such subscription already exists. Subscriptions are unique by project + queue + subscriber URI.',
  },
  'subscription.too_many': {
    kind: 'forbidden',
    message: 'Project {project} may have {max} subscriptions at a time that push to connections of this service.',
  },
  'subscription.claim_invalid': { kind: 'invalid', message: '{problem}' },
  'subscription.not_confirmed': {
    kind: 'conflict',
    message: 'Subscription {id} has not confirmed, so it is told of no message.',
  },
  'subscription.not_found': { kind: 'not_found', message: 'Subscription {id} does not exist' },
  'topic.not_found': { kind: 'not_found', message: 'Topic {queue} does not exist for project {project}' },
  'pool.unreachable': { kind: 'invalid', message: 'cannot connect to {uri}' },
  'pool.uri_in_use': { kind: 'conflict', message: 'The URI {uri} is used by another pool than {pool}.' },
  'pool.not_found': { kind: 'not_found', message: 'Pool {pool} does not exist' },
  'pool.draining': {
    kind: 'conflict',
    message: 'Pool {pool} is being drained, so it can have no weight until that is cancelled.',
  },
  'relocation.rate_out_of_range': {
    kind: 'invalid',
    message: 'rate must be at least 1 and at most {max} records per second.',
  },
  'relocation.no_pooling': {
    kind: 'conflict',
    message: 'This service puts no queues on pools, so none can go from one to another: the option "pooling" is off.',
  },
  'drain.not_found': { kind: 'not_found', message: 'Nobody has asked for a drain of pool {pool}.' },
  'rebalance.not_found': { kind: 'not_found', message: 'Nobody has asked for a rebalance.' },
  'pool.last_of_flavors': {
    kind: 'forbidden',
    message: 'Pool {pool} is the last one of these flavors, so it cannot be deleted: {flavors}',
  },
  'queue.unknown_flavor': { kind: 'invalid', message: 'Flavor {flavor} does not exist' },
  'pool.in_use': { kind: 'forbidden', message: 'Pool {pool} holds {holds}, so it cannot be deleted.' },
  'flavor.not_found': { kind: 'not_found', message: 'Flavor {flavor} does not exist' },
  'flavor.created_with_unknown_pool': {
    kind: 'invalid',
    message: 'Flavor {flavor} could not be created: pool {pool} does not exist',
  },
  'flavor.updated_with_unknown_pool': {
    kind: 'invalid',
    message: 'Flavor {flavor} could not be updated: pool {pool} does not exist',
  },
  'share.no_method': {
    kind: 'invalid',
    message: '`methods` holds "{method}", which no request can have as its method',
  },
  'share.expired': { kind: 'invalid', message: '`expires` is lower than the current time' },
  'share.no_key': { kind: 'invalid', message: "The `key` can't be None" },
  'share.ambiguous_project': {
    kind: 'invalid',
    message: 'The id of this project holds a backslash before an n, which separates the parts of what is signed',
  },
  'quota.queues': {
    kind: 'forbidden',
    message: 'Project {project} may have {max} queues and topics, and has {used}.',
  },
  'quota.messages': {
    kind: 'forbidden',
    message: 'Project {project} may keep {max} messages, and keeps {used}; {count} more were not stored.',
  },
  'quota.bytes': {
    kind: 'forbidden',
    message: 'Project {project} may keep {max} bytes, and keeps {used}; {count} more were not stored.',
  },
  'rate.requests': {
    kind: 'too_fast',
    message: 'Project {project} may send {max} requests per second. Please try again in {seconds} seconds.',
  },
  'rate.messages': {
    kind: 'too_fast',
    message: 'Project {project} may post {max} messages per second. Please try again in {seconds} seconds.',
  },
  'storage.unavailable': { kind: 'unavailable', message: '{what}. Please try again in a few seconds.' },
} as const satisfies Record<string, { kind: ErrorKind; message: string }>

export type ErrorCode = keyof typeof errorTable

export class ZaqarError extends Error {
  override readonly name = 'ZaqarError'
  readonly code: ErrorCode
  readonly kind: ErrorKind
  /** After how long it is worth to try again, where that is known. */
  readonly retryAfterSeconds: number | null

  constructor(
    code: ErrorCode,
    params: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions & { readonly retryAfterSeconds?: number },
  ) {
    const { kind, message } = errorTable[code]
    super(
      message.replace(/\{(\w+)\}/g, (_, name: string) => spell(name, params[name])),
      options,
    )
    this.code = code
    this.kind = kind
    this.retryAfterSeconds = options?.retryAfterSeconds ?? null
  }
}

function spell(name: string, value: unknown): string {
  return name === 'project' ? projectName(value as string) : String(value)
}
