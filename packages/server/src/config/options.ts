/**
 * The table of options: the only place where an option has a name, a kind, a default and a meaning. `Config`, the checks,
 * help, and docs/configuration.md follow from it.
 */
import { allowedStores } from './allowed-stores.ts'
import {
  address,
  bool,
  choice,
  hostNames,
  int,
  type Kind,
  list,
  listOf,
  path,
  port,
  secret,
  secretLines,
  text,
} from './kinds.ts'
import { libraryDefaults, libraryGroups } from './library-options.ts'
import { type OptionGroup, withoutEffect } from './option.ts'
import { Secret } from './secret.ts'
import { postgresUri, storageUri } from './storage-uri.ts'

const later = 'not part of this version'
const noNotifications = 'there are no notifications in this version'
const noSocket = 'there is no WebSocket listener in this version'
const noStages = 'upstream loads Python code by it'

/** The least time of messages, claims and grace is not configurable. */
const ttl = int({ min: 60, max: 9_999_999_999, unit: 'seconds' })
const delay = int({ min: 0, max: 9_999_999_999, unit: 'seconds' })
const pageSize = int({ min: 1, max: 10_000 })
/** A body is held in memory as one text, whose length the runtime bounds. */
const bodySize = int({ min: 1, max: 268_435_456, unit: 'bytes' })
/** Upstream's default is a key that everybody knows. */
const encryptionKey: Kind<Secret> = {
  allowed: 'a secret text other than AES256',
  show: () => '***',
  parse: (value) =>
    value === '' || value === 'AES256'
      ? { refused: "AES256, upstream's default, is known to everybody; `openssl rand -base64 32` makes a key" }
      : { value: new Secret(value) },
}
const quota = int({ min: 0, max: 1_000_000_000_000 })
const rate = int({ min: 1, max: 1_000_000 })
const clientIdLength = int({ min: 1, max: 1024 })

export const groups = [
  {
    name: 'DEFAULT',
    options: [
      {
        name: 'data_dir',
        key: 'storage.dataDir',
        kind: path,
        default: '.zaqar-data',
        meaning: 'Folder for everything that the service keeps on disk; it is made when it is missing.',
        flag: { name: 'data-dir', value: 'DIR' },
      },
      {
        name: 'debug',
        key: 'log.debug',
        kind: bool,
        default: 'false',
        meaning: 'Log in detail.',
        flag: { name: 'debug', value: null },
      },
      {
        name: 'graceful_shutdown_timeout',
        key: 'http.closingSeconds',
        kind: int({ min: 0, max: 86_400, unit: 'seconds' }),
        default: '60',
        meaning:
          'Time that requests under way have to end when the service is told to stop; then they are cut off. 0: as long as they take.',
      },
      {
        name: 'enable_checksum',
        key: 'messages.checksum',
        kind: bool,
        default: 'false',
        meaning: 'Store a checksum of the body with each message and show it.',
      },
      {
        name: 'auth_strategy',
        key: 'auth.strategy',
        kind: choice('', 'keystone'),
        default: '',
        meaning: 'Who says who a caller is: nobody (the headers are trusted), or keystone.',
      },
      {
        name: 'admin_mode',
        key: 'api.adminMode',
        kind: bool,
        default: 'true',
        meaning: 'Serve the routes of health, pools and flavors to those whom the policy admits.',
      },
      {
        name: 'enable_deprecated_api_versions',
        key: 'api.deprecatedVersions',
        kind: listOf('1', '1.1'),
        default: null,
        meaning: 'Older versions of the API to serve beside the current one; all of them when it is not set.',
      },
      {
        name: 'pooling',
        noEffect: later,
        kind: bool,
        default: 'false',
        meaning: 'Spread queues over the registered pools.',
        aliases: ['sharding'],
      },
      {
        name: 'unreliable',
        noEffect: 'concerns MongoDB only',
        kind: bool,
        default: 'false',
        meaning: 'Skip the durability checks of MongoDB.',
      },
      ...libraryDefaults,
    ],
  },
  {
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
      {
        name: 'message_encryption_algorithms',
        noEffect: 'messages are encrypted with AES-256-GCM',
        kind: text,
        default: 'AES256',
        meaning: 'How messages of encrypted queues are encrypted.',
      },
      {
        name: 'max_mesages_per_page',
        noEffect: "a misspelling in upstream's install guide, which upstream ignores, too",
      },
    ],
  },
  {
    name: 'drivers:transport:wsgi',
    options: [
      {
        name: 'bind',
        key: 'http.bind',
        kind: address,
        default: '127.0.0.1',
        meaning: 'Address to listen on.',
        flag: { name: 'bind', value: 'ADDRESS' },
      },
      {
        name: 'port',
        key: 'http.port',
        kind: port,
        default: '8888',
        meaning: 'Port to listen on; 0: one that is free.',
        flag: { name: 'port', value: 'N' },
      },
      {
        name: 'workers',
        key: 'http.workers',
        kind: int({ min: 1, max: 256 }),
        default: '1',
        meaning: 'Processes behind the port, about one for each core; more than one on PostgreSQL only.',
        flag: { name: 'workers', value: 'N' },
      },
    ],
  },
  {
    name: 'http',
    options: [
      {
        name: 'expose_without_authentication',
        key: 'http.exposeWithoutAuthentication',
        kind: bool,
        default: 'false',
        meaning:
          'Allow an address that other machines reach, although everybody there may then read and write everything.',
        flag: { name: 'expose-without-authentication', value: null },
      },
      {
        name: 'allowed_hosts',
        key: 'http.allowedHosts',
        kind: hostNames,
        default: '',
        meaning:
          'Names that a service without authentication answers to, beside localhost, addresses and a name to listen on; *: any. ' +
          'A web page could else reach it by a name of its own.',
      },
      {
        name: 'admin_port',
        key: 'http.adminPort',
        kind: port,
        default: null,
        meaning:
          'Port where alone the routes of health, pools and flavors are served, beside all others; when it is not set, they are with the others.',
      },
      {
        name: 'admin_bind',
        key: 'http.adminBind',
        kind: address,
        default: '127.0.0.1',
        meaning: 'Address to listen on at `admin_port`.',
      },
      {
        name: 'max_header_size',
        key: 'http.maxHeaderBytes',
        kind: int({ min: 1024, max: 1_048_576, unit: 'bytes' }),
        default: '32768',
        meaning: 'The largest head of a request: its first line and all headers.',
      },
      {
        name: 'request_timeout',
        key: 'http.requestTimeoutSeconds',
        kind: int({ min: 1, max: 3600, unit: 'seconds' }),
        default: '60',
        meaning: 'Time within which a request must have arrived whole.',
      },
      {
        name: 'max_connections',
        key: 'http.maxConnections',
        kind: int({ min: 1, max: 1_000_000 }),
        default: '20000',
        meaning: 'The most connections of a process at one time; further ones are closed.',
      },
      {
        name: 'memory_budget',
        key: 'http.memoryBudgetBytes',
        kind: int({ min: 16_777_216, max: 1_099_511_627_776, unit: 'bytes' }),
        default: null,
        meaning:
          'Memory of a process for requests that are being read or wait, and for answers that are not taken; further ones are refused for a while. Not set: a quarter of the heap that Node.js may use.',
      },
    ],
  },
  {
    name: 'ssl',
    options: [
      {
        name: 'cert_file',
        key: 'tls.certFile',
        kind: path,
        default: null,
        meaning:
          'Certificate of the server in PEM form, followed by those that lead to its authority; with it and `key_file` both ' +
          'listeners speak HTTPS. Files that change are read again.',
      },
      {
        name: 'key_file',
        key: 'tls.keyFile',
        kind: path,
        default: null,
        meaning: 'Private key of the certificate in PEM form, without a passphrase.',
      },
      {
        name: 'ca_file',
        key: 'tls.caFile',
        kind: path,
        default: null,
        meaning:
          'Authorities in PEM form, one of which must have signed the certificate that then every client has to show.',
      },
    ],
  },
  {
    name: 'project_limits',
    options: [
      {
        name: 'max_queues',
        key: 'projectLimits.maxQueues',
        kind: quota,
        default: null,
        meaning: 'The most queues and topics of one project; without it there is no such limit.',
      },
      {
        name: 'max_messages',
        key: 'projectLimits.maxMessages',
        kind: quota,
        default: null,
        meaning: 'The most messages that one project keeps in all its queues; without it there is no such limit.',
      },
      {
        name: 'max_message_bytes',
        key: 'projectLimits.maxMessageBytes',
        kind: quota,
        default: null,
        meaning:
          'The most bytes that one project keeps: bodies of messages, metadata, subscriptions; without it there is no such limit.',
      },
      {
        name: 'max_requests_per_second',
        key: 'projectLimits.maxRequestsPerSecond',
        kind: rate,
        default: null,
        meaning: 'The most requests of one project in a second, on each process; without it there is no such limit.',
      },
      {
        name: 'max_messages_per_second',
        key: 'projectLimits.maxMessagesPerSecond',
        kind: rate,
        default: null,
        meaning:
          'The most messages that one project posts in a second, on each process; without it there is no such limit.',
      },
    ],
  },
  {
    name: 'audit',
    options: [
      {
        name: 'file',
        key: 'audit.file',
        kind: path,
        default: null,
        meaning:
          'File that gets a line of JSON for each operation: who did what, and what became of it; -: standard output. ' +
          'Without it there is no audit log.',
      },
    ],
  },
  {
    name: 'storage',
    options: [
      {
        name: 'uri',
        key: 'storage.uri',
        kind: storageUri,
        default: 'sqlite:$data_dir/zaqar.db',
        meaning: 'Where queues and messages are kept.',
        flag: { name: 'storage', value: 'URI' },
      },
      {
        name: 'listen_uri',
        key: 'storage.listenUri',
        kind: postgresUri,
        default: null,
        meaning:
          'The address of PostgreSQL itself, where [storage] uri leads to a connection pooler in transaction mode: one ' +
          'connection listens, and such a pooler passes no notifications on.',
      },
      {
        name: 'connections',
        key: 'storage.connections',
        kind: int({ min: 1, max: 64 }),
        default: '4',
        meaning:
          'Connections of each process to PostgreSQL for requests that write, and as many for those that read; two more ' +
          'listen and ask for the time.',
      },
      {
        name: 'message_pipeline',
        noEffect: later,
        kind: list,
        default: null,
        meaning: 'Stages in front of the store of messages; zaqar.notification.notifier switches notifications on.',
      },
      ...withoutEffect(noStages, ['queue_pipeline', 'claim_pipeline', 'subscription_pipeline', 'topic_pipeline']),
    ],
  },
  {
    name: 'drivers',
    options: [
      { name: 'transport', noEffect: 'HTTP is served, whatever it says' },
      { name: 'message_store', noEffect: 'the store follows from [storage] uri', aliases: ['storage'] },
      { name: 'management_store', noEffect: 'the store follows from [storage] uri' },
    ],
  },
  {
    name: 'drivers:message_store:redis',
    aliases: ['drivers:storage:redis'],
    options: [
      { name: 'uri', noEffect: 'stands in for [storage] uri only where that is not set and message_store is redis' },
    ],
    others: later,
  },
  {
    name: 'drivers:message_store:mongodb',
    aliases: ['drivers:storage:mongodb'],
    options: [],
    others: 'the settings of MongoDB, which is no store of this server',
  },
  {
    name: 'drivers:message_store:swift',
    options: [],
    others: 'the settings of Swift, which is no store of this server',
  },
  {
    name: 'drivers:message_store:*',
    options: [
      {
        name: 'uri',
        noEffect:
          'stands in for [storage] uri only where that is not set, message_store is this one and it is PostgreSQL',
      },
    ],
    others: 'the store follows from [storage] uri',
  },
  {
    name: 'drivers:management_store:*',
    aliases: ['drivers:storage:sqlalchemy'],
    options: [],
    others: 'queues and messages have one store, [storage] uri',
  },
  {
    name: 'drivers:transport:websocket',
    options: [
      { name: 'bind', noEffect: noSocket, kind: address, default: '127.0.0.1', meaning: 'Address to listen on.' },
      { name: 'port', noEffect: noSocket, kind: port, default: '9000', meaning: 'Port to listen on.' },
      {
        name: 'external_port',
        noEffect: noSocket,
        kind: port,
        default: null,
        meaning: 'Port that the Host header of a client must carry.',
      },
      ...withoutEffect(noSocket, ['notification_bind', 'notification_port']),
    ],
  },
  {
    name: 'notification',
    options: [
      {
        name: 'max_notifier_workers',
        noEffect: noNotifications,
        kind: int({ min: 1, max: 10_000 }),
        default: '10',
        meaning: 'The most deliveries at one time.',
      },
      {
        name: 'require_confirmation',
        noEffect: noNotifications,
        kind: bool,
        default: 'false',
        meaning: 'Deliver nothing before the subscriber has confirmed.',
      },
      {
        name: 'external_confirmation_url',
        noEffect: noNotifications,
        kind: text,
        default: null,
        meaning: 'Page that mails for confirmation lead to.',
      },
      {
        name: 'smtp_mode',
        noEffect: noNotifications,
        kind: choice('third_part', 'self_local'),
        default: 'third_part',
        meaning: 'How mail is sent: third_part: by a command; self_local: over SMTP.',
      },
      {
        name: 'smtp_command',
        noEffect: noNotifications,
        kind: text,
        default: '/usr/sbin/sendmail -t -oi',
        meaning: 'Command that sends a mail.',
      },
      { name: 'smtp_host', noEffect: noNotifications, kind: text, default: null, meaning: 'SMTP server.' },
      { name: 'smtp_port', noEffect: noNotifications, kind: port, default: null, meaning: 'Port of the SMTP server.' },
      {
        name: 'smtp_user_name',
        noEffect: noNotifications,
        kind: text,
        default: null,
        meaning: 'User at the SMTP server.',
      },
      {
        name: 'smtp_user_password',
        noEffect: noNotifications,
        kind: secret,
        default: null,
        meaning: 'Password at the SMTP server.',
      },
      ...withoutEffect(noNotifications, [
        'subscription_confirmation_email_template',
        'unsubscribe_confirmation_email_template',
      ]),
    ],
  },
  {
    name: 'signed_url',
    options: [
      {
        name: 'secret_key',
        key: 'signedUrls.secretKey',
        kind: secret,
        default: null,
        meaning:
          'Key that URLs are signed with, the same on all nodes. Without it none can be signed, save that a server without ' +
          'Keystone makes a key and keeps it in its data folder.',
      },
      {
        name: 'previous_secret_keys',
        key: 'signedUrls.previousSecretKeys',
        kind: secretLines,
        default: '',
        meaning: 'Keys that sign no more but whose signatures are still good.',
        repeats: true,
      },
    ],
  },
  {
    name: 'policy',
    options: [
      {
        name: 'default_rules',
        key: 'policy.defaults',
        kind: choice('upstream', 'personas'),
        default: 'upstream',
        meaning:
          'Rules that hold where no policy file says otherwise: upstream: whoever belongs to a project may do everything in it; ' +
          'personas: the roles reader, member and admin differ.',
      },
    ],
  },
  {
    name: 'pooling',
    options: [
      {
        name: 'allowed_uris',
        key: 'pooling.allowedUris',
        kind: allowedStores,
        default: null,
        meaning:
          'Stores that may be registered as pools, beside the one of the service itself; when it is not set, any PostgreSQL ' +
          'and files in the data folder.',
        repeats: true,
      },
    ],
  },
  {
    name: 'pooling:catalog',
    options: [
      {
        name: 'enable_virtual_pool',
        noEffect: later,
        kind: bool,
        default: 'false',
        meaning: 'Use the configured store while no pool is registered.',
      },
    ],
  },
  ...libraryGroups,
] as const satisfies readonly OptionGroup[]

type Row = (typeof groups)[number]['options'][number]
type UsedRow = Extract<Row, { readonly key: string }>
type Head<Key> = Key extends `${infer Section}.${string}` ? Section : never
type Tail<Key> = Key extends `${string}.${infer Field}` ? Field : never
type Value<R> = R extends { readonly kind: Kind<infer T>; readonly default: infer D }
  ? D extends string
    ? T
    : T | null
  : never

/** What the server runs with: the rows of the table that have a `key`. */
export type Config = {
  readonly [Section in Head<UsedRow['key']>]: {
    readonly [R in UsedRow as R['key'] extends `${Section}.${string}` ? Tail<R['key']> : never]: Value<R>
  }
}
