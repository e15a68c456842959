import { bool, url } from '../kinds.ts'
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
    ...withoutEffect('there are no notifications in this version', [
      'max_notifier_workers',
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

export const trustee = {
  name: 'trustee',
  options: [],
  others: 'there are no trust notifications in this version',
} as const satisfies OptionGroup
