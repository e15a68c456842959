import { bool, choice, int, listOf, path } from '../kinds.ts'
import { type OptionGroup, withoutEffect } from '../option.ts'

const ownLog = 'the log goes to the standard error stream, in a form of its own'
const noMessageBus = 'no message bus is used'

/** What belongs to oslo.log and oslo.messaging. */
const ofLibraries = [
  { name: 'log_config_append', noEffect: ownLog, aliases: ['log_config'] },
  { name: 'log_file', noEffect: ownLog, aliases: ['logfile'] },
  { name: 'log_dir', noEffect: ownLog, aliases: ['logdir'] },
  ...withoutEffect(ownLog, [
    'verbose',
    'log_date_format',
    'watch_log_file',
    'use_syslog',
    'use_journal',
    'syslog_log_facility',
    'use_json',
    'log_color',
    'use_stderr',
    'use_eventlog',
    'log_rotate_interval',
    'log_rotate_interval_type',
    'max_logfile_count',
    'max_logfile_size_mb',
    'log_rotation_type',
    'logging_context_format_string',
    'logging_default_format_string',
    'logging_debug_format_suffix',
    'logging_exception_prefix',
    'logging_user_identity_format',
    'default_log_levels',
    'publish_errors',
    'instance_format',
    'instance_uuid_format',
    'rate_limit_interval',
    'rate_limit_burst',
    'rate_limit_except_level',
    'fatal_deprecations',
  ]),
  ...withoutEffect(noMessageBus, [
    'rpc_conn_pool_size',
    'conn_pool_min_size',
    'conn_pool_ttl',
    'executor_thread_pool_size',
    'rpc_thread_pool_size',
    'rpc_response_timeout',
    'rpc_backend',
    'rpc_ping_enabled',
    'transport_url',
    'control_exchange',
    'notification_driver',
    'notification_transport_url',
    'notification_topics',
  ]),
] as const

export const defaultGroup = {
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
      reloads: true,
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
      name: 'graceful_shutdown_delay',
      key: 'http.closingDelaySeconds',
      kind: int({ min: 0, max: 3_600, unit: 'seconds' }),
      default: '0',
      meaning:
        'Time at the beginning of `graceful_shutdown_timeout` in which everything is served still, but `/readyz` answers 503: ' +
        'for load balancers, which must notice before connections are refused.',
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
      reloads: true,
    },
    {
      name: 'pooling',
      key: 'pooling.enabled',
      kind: bool,
      default: 'false',
      meaning: 'Spread queues over the stores that are registered as pools. All nodes must say the same.',
      aliases: ['sharding'],
    },
    { name: 'unreliable', noEffect: 'concerns MongoDB only' },
    ...ofLibraries,
  ],
} as const satisfies OptionGroup
