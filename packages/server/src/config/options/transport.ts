import { bool, choice, int, type Kind, list, secretLines } from '../kinds.ts'
import type { OptionGroup } from '../option.ts'
import { Secret } from '../secret.ts'

/** The least time of messages, claims and grace is not configurable. */
const ttl = int({ min: 60, max: 9_999_999_999, unit: 'seconds' })
const delay = int({ min: 0, max: 9_999_999_999, unit: 'seconds' })
const pageSize = int({ min: 1, max: 10_000 })
/** A body is held in memory as one text, whose length the runtime bounds. */
const bodySize = int({ min: 1, max: 268_435_456, unit: 'bytes' })
const clientIdLength = int({ min: 1, max: 1024 })
/** Upstream's default is a key that everybody knows. */
const encryptionKey: Kind<Secret> = {
  allowed: 'a secret text other than AES256',
  show: () => '***',
  parse: (value) =>
    value === '' || value === 'AES256'
      ? { refused: "AES256, upstream's default, is known to everybody; `openssl rand -base64 32` makes a key" }
      : { value: new Secret(value) },
}

export const transport = {
  name: 'transport',
  aliases: ['limits:transport'],
  options: [
    {
      name: 'default_message_ttl',
      key: 'limits.defaultMessageTtlSeconds',
      kind: ttl,
      default: '3600',
      meaning: 'Life of a message when neither the message nor the queue says otherwise.',
    },
    {
      name: 'default_message_delay',
      key: 'limits.defaultMessageDelaySeconds',
      kind: delay,
      default: '0',
      meaning: 'Shown as the default delay of queues; it does not delay messages by itself.',
    },
    {
      name: 'default_claim_ttl',
      key: 'limits.defaultClaimTtlSeconds',
      kind: ttl,
      default: '300',
      meaning: 'Life of a claim that does not say otherwise.',
    },
    {
      name: 'default_claim_grace',
      key: 'limits.defaultClaimGraceSeconds',
      kind: ttl,
      default: '60',
      meaning: 'Time that a message outlives its claim at least, where the claim does not say otherwise.',
    },
    {
      name: 'default_subscription_ttl',
      key: 'limits.defaultSubscriptionTtlSeconds',
      kind: ttl,
      default: '3600',
      meaning: 'Life of a subscription that does not say otherwise.',
    },
    {
      name: 'max_queues_per_page',
      key: 'limits.maxQueuesPerPage',
      kind: pageSize,
      default: '20',
      meaning: 'The most queues that one listing may ask for.',
      aliases: ['queue_paging_uplimit'],
    },
    {
      name: 'max_messages_per_page',
      key: 'limits.maxMessagesPerPage',
      kind: pageSize,
      default: '20',
      meaning: 'The most messages that one listing may ask for, and the most ids that a request may name.',
      aliases: ['message_paging_uplimit'],
    },
    {
      name: 'max_subscriptions_per_page',
      key: 'limits.maxSubscriptionsPerPage',
      kind: pageSize,
      default: '20',
      meaning: 'The most subscriptions that one listing may ask for.',
      aliases: ['subscription_paging_uplimit'],
    },
    {
      name: 'max_flavors_per_page',
      key: 'limits.maxFlavorsPerPage',
      kind: pageSize,
      default: '20',
      meaning: 'The most flavors that one listing may ask for.',
    },
    {
      name: 'max_pools_per_page',
      key: 'limits.maxPoolsPerPage',
      kind: pageSize,
      default: '20',
      meaning: 'The most pools that one listing may ask for.',
    },
    {
      name: 'max_messages_per_claim_or_pop',
      key: 'limits.maxMessagesPerClaimOrPop',
      kind: pageSize,
      default: '20',
      meaning: 'The most messages that one request may claim or pop.',
      aliases: ['max_messages_per_claim'],
    },
    {
      name: 'max_queue_metadata',
      key: 'limits.maxQueueMetadataBytes',
      kind: bodySize,
      default: '65536',
      meaning: 'The largest metadata of a queue, and the largest options of a subscription.',
      aliases: ['metadata_size_uplimit'],
    },
    {
      name: 'max_messages_post_size',
      key: 'limits.maxMessagesPostBytes',
      kind: bodySize,
      default: '262144',
      meaning: 'The largest request body that posts messages; a queue may set less for itself.',
      aliases: ['max_message_size', 'message_size_uplimit'],
    },
    {
      name: 'max_message_ttl',
      key: 'limits.maxMessageTtlSeconds',
      kind: ttl,
      default: '1209600',
      meaning: 'The longest life of a message; greater defaults, of the house or of queues, come down to it.',
      aliases: ['message_ttl_max'],
    },
    {
      name: 'max_message_delay',
      key: 'limits.maxMessageDelaySeconds',
      kind: delay,
      default: '900',
      meaning: 'The longest delay of a message.',
    },
    {
      name: 'max_claim_ttl',
      key: 'limits.maxClaimTtlSeconds',
      kind: ttl,
      default: '43200',
      meaning: 'The longest life of a claim.',
      aliases: ['claim_ttl_max'],
    },
    {
      name: 'idempotency_window',
      key: 'limits.idempotencySeconds',
      kind: int({ min: 1, max: 86_400, unit: 'seconds' }),
      default: '300',
      meaning: 'How long the Idempotency-Key of a POST of messages is remembered.',
    },
    {
      name: 'max_claim_grace',
      key: 'limits.maxClaimGraceSeconds',
      kind: ttl,
      default: '43200',
      meaning: 'The longest grace of a claim.',
      aliases: ['claim_grace_max'],
    },
    {
      name: 'client_id_uuid_safe',
      key: 'clientId.check',
      kind: choice('strict', 'off'),
      default: 'strict',
      meaning: 'What a Client-ID must be: strict: a UUID; off: any text of the length below.',
    },
    {
      name: 'min_length_client_id',
      key: 'clientId.minLength',
      kind: clientIdLength,
      default: '10',
      meaning: 'The least length in characters of a Client-ID that need not be a UUID.',
    },
    {
      name: 'max_length_client_id',
      key: 'clientId.maxLength',
      kind: clientIdLength,
      default: '36',
      meaning: 'The greatest length in characters of a Client-ID that need not be a UUID.',
    },
    {
      name: 'message_delete_with_claim_id',
      key: 'messages.deleteNeedsClaimIds',
      kind: bool,
      default: 'false',
      meaning: 'Deleting several messages by id must name the claims that hold them.',
    },
    {
      name: 'subscriber_types',
      key: 'limits.subscriberTypes',
      kind: list,
      default: 'http,https,mailto,trust+http,trust+https',
      meaning: 'Schemes that the address of a subscriber may have.',
    },
    {
      name: 'message_encryption_key',
      key: 'encryption.key',
      kind: encryptionKey,
      default: null,
      meaning: 'Key that messages of queues with _enable_encrypt_messages are encrypted with, the same on all nodes.',
    },
    {
      name: 'message_encryption_previous_keys',
      key: 'encryption.previousKeys',
      kind: secretLines,
      default: '',
      meaning: 'Keys that encrypt no more but whose messages are still read.',
      repeats: true,
    },
    { name: 'message_encryption_algorithms', noEffect: 'messages are encrypted with AES-256-GCM' },
    {
      name: 'max_mesages_per_page',
      noEffect: "a misspelling in upstream's install guide, which upstream ignores, too",
    },
  ],
} as const satisfies OptionGroup
