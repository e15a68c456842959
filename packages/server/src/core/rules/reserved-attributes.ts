import { parseJson, printJson } from '../../model/json.ts'
import { compactBytes, membersOf, objectText } from '../../model/members.ts'
import type { DeadLetterPolicy, Json, JsonObject, QueueKind } from '../../model/model.ts'
import { ZaqarError } from '../errors.ts'
import { integerOf } from './integers.ts'
import { LEAST_SECONDS, type Limits } from './limits.ts'
import { isQueueName } from './names.ts'
import { retryPolicyProblem } from './retry-policy.ts'

/**
 * The reserved attributes that are always shown, in this order, and what stands for an unset one. Topics show those
 * alone that are about posting. (contract http.md 3.3, 3.10)
 */
export function reservedDefaults(kind: QueueKind, limits: Limits): JsonObject {
  const forPosting: JsonObject = {
    _max_messages_post_size: limits.maxMessagesPostBytes,
    _default_message_ttl: limits.defaultMessageTtlSeconds,
    _default_message_delay: limits.defaultMessageDelaySeconds,
  }
  if (kind === 'topic') return forPosting
  return {
    ...forPosting,
    _dead_letter_queue: null,
    _dead_letter_queue_messages_ttl: null,
    _max_claim_count: null,
    _enable_encrypt_messages: false,
  }
}

/** The metadata as v2 shows it: as stored, then the missing defaults; a default replaces every falsy value. */
export function withReservedDefaults(metadata: string, kind: QueueKind, limits: Limits): string {
  const members = membersOf(metadata)
  for (const [key, value] of Object.entries(reservedDefaults(kind, limits))) {
    if (FALSY.includes(members.get(key) ?? 'null')) members.set(key, printJson(value))
  }
  return objectText(members)
}

/** The flavor of the pools that are to have the queue; null: it names none. (contract http.md 3.3) */
export function flavorOf(metadata: string): string | null {
  const flavor = membersOf(metadata).get('_flavor')
  const value = flavor === undefined ? null : parseJson(flavor)
  return typeof value === 'string' && value !== '' ? value : null
}

const FALSY = ['null', 'false', '0', '""']

/**
 * What a client wants stored: as a whole, or as what a patch makes of it.
 * @throws ZaqarError too_large, or that a reserved attribute is wrong
 */
export function checkMetadata(metadata: string, limits: Limits, as: 'metadata' | 'patch'): void {
  const max = limits.maxQueueMetadataBytes
  if (compactBytes(metadata) > max) throw new ZaqarError(`${as}.too_large`, { max })
  const problem = metadataProblem(reservedOf(metadata), limits)
  if (problem === null) return
  throw new ZaqarError(as === 'metadata' ? 'metadata.invalid' : 'patch.result_invalid', { problem })
}

const RESERVED = [
  '_max_messages_post_size',
  '_default_message_ttl',
  '_default_message_delay',
  '_dead_letter_queue',
  '_dead_letter_queue_messages_ttl',
  '_max_claim_count',
  '_enable_encrypt_messages',
  '_retry_policy',
] as const

/** Those that mean something and are set. */
function reservedOf(metadata: string): JsonObject {
  const members = membersOf(metadata)
  const found = RESERVED.map((key) => [key, members.get(key)] as const)
  return Object.fromEntries(found.flatMap(([key, text]) => (text === undefined ? [] : [[key, parseJson(text)]])))
}

/** What is wrong with them, or null. `null` means unset everywhere. */
function metadataProblem(metadata: Readonly<JsonObject>, limits: Limits): string | null {
  return (
    integerProblem(metadata, '_max_messages_post_size', 1, limits.maxMessagesPostBytes) ??
    integerProblem(metadata, '_default_message_ttl', LEAST_SECONDS, limits.maxMessageTtlSeconds) ??
    integerProblem(metadata, '_default_message_delay', 0, limits.maxMessageDelaySeconds) ??
    deadLetterQueueProblem(metadata) ??
    integerProblem(metadata, '_dead_letter_queue_messages_ttl', LEAST_SECONDS, limits.maxMessageTtlSeconds) ??
    integerProblem(metadata, '_max_claim_count', Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY) ??
    booleanProblem(metadata, '_enable_encrypt_messages') ??
    encryptionProblem(metadata, limits) ??
    retryPolicyProblem(metadata['_retry_policy'])
  )
}

function integerProblem(metadata: Readonly<JsonObject>, key: string, min: number, max: number): string | null {
  const value = metadata[key]
  if (value === undefined || value === null) return null
  const integer = integerOf(value)
  if (integer === null) return `${key} must be integer.`
  return integer < min || integer > max ? `${key} must be at least ${min} and at most ${max}.` : null
}

function deadLetterQueueProblem({ _dead_letter_queue: name }: Readonly<JsonObject>): string | null {
  if (name === undefined || name === null || (typeof name === 'string' && isQueueName(name))) return null
  return '_dead_letter_queue must be the name of a queue: at most 64 letters, digits, underscores, hyphens and dots.'
}

function booleanProblem(metadata: Readonly<JsonObject>, key: string): string | null {
  const value = metadata[key]
  return value === undefined || value === null || typeof value === 'boolean' ? null : `${key} must be boolean.`
}

/** What no key protects must not look protected. */
function encryptionProblem(metadata: Readonly<JsonObject>, { canEncryptMessages }: Limits): string | null {
  if (metadata['_enable_encrypt_messages'] !== true || canEncryptMessages) return null
  return '_enable_encrypt_messages needs a key, and this server has none: [transport] message_encryption_key is not set.'
}

/** What the reserved attributes of a queue mean for its messages. Times in seconds, sizes in bytes. */
export interface QueueSettings {
  readonly maxMessagesPostBytes: number
  readonly defaultMessageTtlSeconds: number
  /** 0 when the queue does not delay; then delays that messages ask for are ignored too. (contract http.md 6.7) */
  readonly defaultMessageDelaySeconds: number
  readonly deadLetter: DeadLetterPolicy | null
  readonly encryptsMessages: boolean
}

/** What was stored when the limits were higher does not go beyond those of today. */
export function settingsOf(kind: QueueKind, text: string, limits: Limits): QueueSettings {
  const metadata = reservedOf(text)
  return {
    maxMessagesPostBytes: Number(metadata['_max_messages_post_size'] || limits.maxMessagesPostBytes),
    defaultMessageTtlSeconds: Math.min(
      Number(metadata['_default_message_ttl'] || limits.defaultMessageTtlSeconds),
      limits.maxMessageTtlSeconds,
    ),
    defaultMessageDelaySeconds: Math.min(
      Number(metadata['_default_message_delay'] || 0),
      limits.maxMessageDelaySeconds,
    ),
    // Nobody claims from a topic, so nothing of it is claimed too often.
    deadLetter: kind === 'topic' ? null : deadLetterPolicy(metadata, limits),
    encryptsMessages: metadata['_enable_encrypt_messages'] === true,
  }
}

/** Needs a queue to move to, with a name that it can have, and a maximum. (contract http.md 6.8) */
function deadLetterPolicy(metadata: Readonly<JsonObject>, { maxMessageTtlSeconds }: Limits): DeadLetterPolicy | null {
  const { _dead_letter_queue: queue, _max_claim_count: max, _dead_letter_queue_messages_ttl: ttl } = metadata
  if (typeof queue !== 'string' || !isQueueName(queue) || !isSet(max)) return null
  // As far as engines count. Less than 0 means the same as 0.
  const maxClaimCount = Math.min(Math.max(integerOf(max) ?? Number.POSITIVE_INFINITY, 0), Number.MAX_SAFE_INTEGER)
  return { queue, maxClaimCount, ttlSeconds: ttl ? Math.min(Number(ttl), maxMessageTtlSeconds) : null }
}

function isSet(value: Json | undefined): boolean {
  return value !== undefined && value !== null
}
