import { bool, int, url } from '../kinds.ts'
import { type OptionGroup, withoutEffect } from '../option.ts'

export const notification = {
  name: 'notification',
  options: [
    {
      name: 'require_confirmation',
      key: 'notification.requiresConfirmation',
      kind: bool,
      default: 'false',
      meaning:
        'Tell a subscription of messages only once its subscriber has confirmed it, for which the subscriber is asked.',
    },
    {
      name: 'external_confirmation_url',
      key: 'notification.externalConfirmationUrl',
      kind: url('http', 'https'),
      default: null,
      meaning: 'Page that mails of confirmation lead to; not set: the one that the service has itself.',
    },
    {
      name: 'public_url',
      key: 'notification.publicUrl',
      kind: url('http', 'https'),
      default: null,
      meaning:
        'Address at which subscribers reach the service, without /v2; not set, and `public_websocket_url` neither: that of ' +
        'the service zaqar in the catalogue of Keystone.',
    },
    {
      name: 'public_websocket_url',
      key: 'notification.publicWebSocketUrl',
      kind: url('ws', 'wss'),
      default: null,
      meaning: 'Address at which subscribers reach it by WebSocket; not set: as with `public_url`, of zaqar-websocket.',
    },
    {
      name: 'max_deliveries',
      key: 'notification.maxDeliveries',
      kind: int({ min: 0, max: 10_000 }),
      default: '500',
      meaning:
        'Subscriptions that each process delivers to at the same time; 0: it delivers nothing and leaves that to others.',
    },
    {
      name: 'max_deliveries_per_host',
      key: 'notification.maxDeliveriesPerHost',
      kind: int({ min: 1, max: 10_000 }),
      default: '50',
      meaning: 'The most of these to one host, so that a slow one delays nobody else.',
    },
    {
      name: 'max_deliveries_per_project',
      key: 'notification.maxDeliveriesPerProject',
      kind: int({ min: 1, max: 10_000 }),
      default: '250',
      meaning: 'The most of these for one project.',
    },
    {
      name: 'max_failures',
      key: 'notification.keptFailures',
      kind: int({ min: 0, max: 100_000 }),
      default: '1000',
      meaning:
        'Messages that could not be delivered, of each subscription: as many of the latest are kept for a replay.',
    },
    {
      name: 'max_delivery_records',
      key: 'notification.keptDeliveries',
      kind: int({ min: 0, max: 1_000 }),
      default: '50',
      meaning: 'Recent deliveries that are remembered of each subscription.',
    },
    {
      name: 'delivery_record_seconds',
      key: 'limits.deliveryRecordSeconds',
      kind: int({ min: 60, max: 31_536_000, unit: 'seconds' }),
      default: '604800',
      meaning: 'How long failures and recent deliveries are kept.',
    },
    {
      name: 'max_notifier_workers',
      noEffect: 'deliveries take no threads here; see [notification] max_deliveries',
    },
    ...withoutEffect('there are no notifications in this version', [
      'smtp_mode',
      'smtp_command',
      'smtp_host',
      'smtp_port',
      'smtp_user_name',
      'smtp_user_password',
      'subscription_confirmation_email_template',
      'unsubscribe_confirmation_email_template',
    ]),
  ],
} as const satisfies OptionGroup
