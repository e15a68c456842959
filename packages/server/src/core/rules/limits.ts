import { ZaqarError } from '../errors.ts'

/** What this house allows; from `[transport]` of the configuration. Times in seconds, sizes in bytes. */
export interface Limits {
  readonly defaultMessageTtlSeconds: number
  readonly defaultMessageDelaySeconds: number
  readonly defaultClaimTtlSeconds: number
  readonly defaultClaimGraceSeconds: number
  readonly defaultSubscriptionTtlSeconds: number
  readonly maxMessageTtlSeconds: number
  readonly maxMessageDelaySeconds: number
  readonly maxClaimTtlSeconds: number
  readonly maxClaimGraceSeconds: number
  readonly maxMessagesPostBytes: number
  readonly maxQueueMetadataBytes: number
  readonly maxQueuesPerPage: number
  readonly maxMessagesPerPage: number
  readonly maxMessagesPerClaimOrPop: number
  readonly maxSubscriptionsPerPage: number
  readonly maxPoolsPerPage: number
  readonly maxFlavorsPerPage: number
  /** Schemes that the URI of a subscriber may have, in lower case. */
  readonly subscriberTypes: readonly string[]
  readonly deleteNeedsClaimIds: boolean
  /** Whether there is a key that messages can be encrypted with. */
  readonly canEncryptMessages: boolean
  /** Whether queues are placed on pools, by their flavor. */
  readonly hasPools: boolean
  /** Whether a subscription is told of messages only once it is confirmed. */
  readonly requiresConfirmation: boolean
  /** How long the key of an idempotent POST is remembered. */
  readonly idempotencySeconds: number
  /** How long records of deliveries are shown. */
  readonly deliveryRecordSeconds: number
}

/** Page size when a request names none; not configurable. (contract http.md 4.1) */
export const DEFAULT_PAGE = 10
/** Longest wait for something to list or claim, in seconds. */
export const LONGEST_WAIT_SECONDS = 20
/** Least ttl of a message, claim or subscription, least grace of a new claim, in seconds. (contract http.md 4.2) */
export const LEAST_SECONDS = 60

/** The page size asked for, or the default. */
export function pageSize(limit: number | undefined, max: number): number {
  if (limit === undefined) return Math.min(DEFAULT_PAGE, max)
  if (limit < 1 || limit > max) throw new ZaqarError('limit.out_of_range', { max })
  return limit
}

/** Ids are asked for by at least one and at most a page. */
export function checkIdCount(ids: readonly string[], max: number): void {
  if (ids.length < 1 || ids.length > max) throw new ZaqarError('ids.count_out_of_range', { max })
}

export function checkRange(
  value: number,
  min: number,
  max: number,
  code:
    | 'message.ttl_out_of_range'
    | 'message.delay_out_of_range'
    | 'claim.ttl_out_of_range'
    | 'claim.grace_out_of_range',
): void {
  if (value < min || value > max) throw new ZaqarError(code, { min, max })
}

/** Seconds to wait for something to come; none when nothing was asked for. */
export function checkWait(waitSeconds: number | undefined): number {
  if (waitSeconds === undefined) return 0
  if (waitSeconds < 0 || waitSeconds > LONGEST_WAIT_SECONDS) {
    throw new ZaqarError('wait.out_of_range', { max: LONGEST_WAIT_SECONDS })
  }
  return waitSeconds
}
