import { isObject, parseJson } from '../../model/json.ts'
import type { Json, JsonObject } from '../../model/model.ts'
import { compileFilter, type Filter } from './filter.ts'
import { integerOf } from './integers.ts'
import { asRetryPolicy, type RetryPolicy, retryPolicyProblem } from './retry-policy.ts'

/** In which form a message is told: as upstream does, or as a CloudEvent in structured or binary mode. */
type Format = (typeof FORMATS)[number]
const FORMATS = ['zaqar', 'cloudevents', 'cloudevents-binary'] as const

/** Several messages go out together once there are so many, or the first has waited for so long. */
interface BatchOption {
  readonly messages: number
  readonly seconds: number
}
const BATCH_MESSAGES = { min: 1, max: 100 }
const BATCH_SECONDS = { min: 0, max: 300 }

/** What in `post_data` stands for the document, quotes included. (contract notifications.md 2) */
export const DOCUMENT_MARKER = '"$zaqar_message$"'
/** In one `post_data`: a document may be large. */
export const MOST_MARKERS = 20

/** The options of a subscription that delivery works with; null where one is not set. */
export interface SubscriptionOptions {
  readonly retryPolicy: RetryPolicy | null
  /** Whether later messages wait for one that fails. */
  readonly isOrdered: boolean
  /** Null: it is told of every message. */
  readonly filter: Filter | null
  readonly format: Format
  readonly batch: BatchOption | null
  /** Whether status 410 ends the subscription. */
  readonly endsOnGone: boolean
  /** By name as given; null: the header is not sent. */
  readonly postHeaders: Readonly<Record<string, string | null>>
  readonly postData: string | null
  readonly from: string | null
  readonly subject: string | null
  readonly trustId: string | null
  /** Whether what is pushed to a connection has ids and markers. */
  readonly withIds: boolean
}

/**
 * What is wrong with options that somebody wants stored, or null. Other keys may hold anything, and null counts as not
 * set. (contract notifications.md 2; keys with an underscore are ours, but `_retry_policy`)
 */
export function subscriptionOptionsProblem(options: Readonly<JsonObject>): string | null {
  return (
    retryPolicyProblem(options['_retry_policy']) ??
    booleanProblem(options, '_ordered') ??
    filterProblem(options['_filter']) ??
    formatProblem(options['_format']) ??
    batchProblem(options) ??
    booleanProblem(options, '_end_on_gone') ??
    booleanProblem(options, '_with_ids') ??
    headersProblem(options['post_headers']) ??
    postDataProblem(options['post_data']) ??
    lineProblem(options, 'from') ??
    lineProblem(options, 'subject')
  )
}

function booleanProblem(options: Readonly<JsonObject>, key: string): string | null {
  return isUnset(options[key]) || typeof options[key] === 'boolean' ? null : `${key} must be a boolean.`
}

function filterProblem(filter: Json | undefined): string | null {
  if (isUnset(filter)) return null
  const compiled = compileFilter(filter)
  return typeof compiled === 'string' ? compiled : null
}

function formatProblem(format: Json | undefined): string | null {
  return isUnset(format) || isFormat(format) ? null : `_format must be one of ${FORMATS.join(', ')}.`
}

function batchProblem({ _batch: batch, _format: format }: Readonly<JsonObject>): string | null {
  if (isUnset(batch)) return null
  if (batchOf(batch) === null) {
    return (
      `_batch must be an object with messages, an integer of ${BATCH_MESSAGES.min} to ${BATCH_MESSAGES.max}, and ` +
      `seconds, one of ${BATCH_SECONDS.min} to ${BATCH_SECONDS.max}.`
    )
  }
  return format === 'cloudevents-binary' ? '_batch needs another _format: one binary CloudEvent fills a request.' : null
}

function headersProblem(headers: Json | undefined): string | null {
  if (isNone(headers)) return null
  if (!isObject(headers)) return 'post_headers must be a dict.'
  const wrong = Object.entries(headers).find(([name, value]) => !isHeader(name, value))
  return wrong === undefined ? null : `post_headers: ${JSON.stringify(wrong[0])} cannot be sent as a header.`
}

function postDataProblem(data: Json | undefined): string | null {
  if (isUnset(data)) return null
  if (typeof data !== 'string') return 'post_data must be a string.'
  const markers = data.split(DOCUMENT_MARKER).length - 1
  return markers > MOST_MARKERS ? `post_data must not hold ${DOCUMENT_MARKER} more than ${MOST_MARKERS} times.` : null
}

function lineProblem(options: Readonly<JsonObject>, key: string): string | null {
  return isUnset(options[key]) || isLine(options[key]) ? null : `${key} must be a string without line breaks.`
}

/**
 * The options as delivery needs them. What was stored before it was checked, and could not be used, counts as not set.
 * @param text JSON text of an object
 */
export function readSubscriptionOptions(text: string): SubscriptionOptions {
  const options = parseJson(text) as JsonObject
  const { _filter: filter, _format: format, post_data: data, from, subject, trust_id: trustId } = options
  const compiled = isUnset(filter) ? null : compileFilter(filter)
  return {
    retryPolicy: asRetryPolicy(options['_retry_policy']),
    isOrdered: options['_ordered'] === true,
    filter: typeof compiled === 'string' ? null : compiled,
    format: isFormat(format) ? format : 'zaqar',
    batch: format === 'cloudevents-binary' ? null : batchOf(options['_batch']),
    endsOnGone: options['_end_on_gone'] === true,
    postHeaders: headersOf(options['post_headers']),
    postData: typeof data === 'string' ? data : null,
    from: isLine(from) ? from : null,
    subject: isLine(subject) ? subject : null,
    trustId: typeof trustId === 'string' ? trustId : null,
    withIds: options['_with_ids'] === true,
  }
}

function isFormat(value: Json | undefined): value is Format {
  return FORMATS.some((format) => format === value)
}

/** Null for what is none. */
function batchOf(value: Json | undefined): BatchOption | null {
  if (!isObject(value)) return null
  const messages = integerOf(value['messages'])
  const seconds = integerOf(value['seconds'])
  return isWithin(messages, BATCH_MESSAGES) && isWithin(seconds, BATCH_SECONDS) ? { messages, seconds } : null
}

function isWithin(value: number | null, { min, max }: { min: number; max: number }): value is number {
  return value !== null && value >= min && value <= max
}

function headersOf(value: Json | undefined): Record<string, string | null> {
  const headers = isObject(value) ? Object.entries(value) : []
  return Object.fromEntries(headers.filter((header): header is [string, string | null] => isHeader(...header)))
}

/** (RFC 9110 5.5, 5.6.2; a null takes a header away, as it does with upstream) */
function isHeader(name: string, value: Json): boolean {
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) return false
  return value === null || (typeof value === 'string' && /^[\t\x20-\x7e\x80-\xff]*$/.test(value))
}

function isLine(value: Json | undefined): value is string {
  return typeof value === 'string' && !/[\r\n\0]/.test(value)
}

function isUnset(value: Json | undefined): value is null | undefined {
  return value === undefined || value === null
}

/** What upstream takes for no headers. */
function isNone(value: Json | undefined): boolean {
  return isUnset(value) || value === '' || (Array.isArray(value) && value.length === 0)
}
