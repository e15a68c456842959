import { address, bool, choice, int, path, secret, text, url } from '../kinds.ts'
import { mailTemplate } from '../mail-template.ts'
import type { OptionGroup } from '../option.ts'
import { networks, proxyUrl } from '../webhook-kinds.ts'

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
      reloads: true,
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
      reloads: true,
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
      name: 'connect_timeout',
      key: 'webhooks.connectSeconds',
      kind: int({ min: 1, max: 300, unit: 'seconds' }),
      default: '5',
      meaning: 'How long a webhook waits for its connection.',
    },
    {
      name: 'headers_timeout',
      key: 'webhooks.headersSeconds',
      kind: int({ min: 1, max: 300, unit: 'seconds' }),
      default: '10',
      meaning: 'How long a webhook that was sent waits for the answer to begin.',
    },
    {
      name: 'request_timeout',
      key: 'webhooks.requestSeconds',
      kind: int({ min: 1, max: 300, unit: 'seconds' }),
      default: '15',
      meaning: 'How long a webhook takes at most, from the beginning to the end of the answer.',
    },
    {
      name: 'allow_networks',
      key: 'webhooks.allowNetworks',
      kind: networks,
      default: '',
      meaning:
        'Networks that webhooks are sent to although they are set aside for something else, such as 100.64.0.0/10. ' +
        'Private networks need not be named. Link-local and loopback addresses are not opened by this.',
    },
    {
      name: 'deny_networks',
      key: 'webhooks.denyNetworks',
      kind: networks,
      default: '',
      meaning:
        'Networks that no webhook is sent to: those of the control plane belong here. Wins over `allow_networks`.',
    },
    {
      name: 'proxy_url',
      key: 'webhooks.proxyUrl',
      kind: proxyUrl,
      default: null,
      meaning:
        'HTTP proxy that all webhooks go through, with name and password where it wants them. It resolves the names of ' +
        'receivers itself, so it has to refuse what must not be reached; only addresses in the subscriber are judged here.',
    },
    {
      name: 'client_cert_file',
      key: 'webhooks.clientCertFile',
      kind: path,
      default: null,
      meaning: 'Certificate in PEM form for receivers that want one.',
    },
    {
      name: 'client_key_file',
      key: 'webhooks.clientKeyFile',
      kind: path,
      default: null,
      meaning: 'Private key of that certificate in PEM form, without a passphrase.',
    },
    {
      name: 'ca_file',
      key: 'webhooks.caFile',
      kind: path,
      default: null,
      meaning: 'Authorities in PEM form that are trusted beside the well-known ones.',
    },
    {
      name: 'max_notifier_workers',
      noEffect: 'deliveries take no threads here; see [notification] max_deliveries',
    },
    {
      name: 'smtp_mode',
      key: 'mail.mode',
      kind: choice('third_part', 'self_local'),
      default: 'third_part',
      meaning:
        'Who takes mail away: `third_part`, the command of `smtp_command`; `self_local`, the server `smtp_host`.',
    },
    {
      name: 'smtp_command',
      key: 'mail.command',
      kind: text,
      default: '/usr/sbin/sendmail -t -oi',
      meaning:
        'Command that reads a mail, its receivers from the headers; its words stand between single spaces and no shell ' +
        'reads them.',
    },
    { name: 'smtp_host', key: 'mail.host', kind: address, default: null, meaning: 'Mail server.' },
    {
      name: 'smtp_port',
      key: 'mail.port',
      kind: int({ min: 1, max: 65535 }),
      default: null,
      meaning: 'Its port; not set: 465, 587 or 25, as `smtp_security` is tls, starttls or none.',
    },
    {
      name: 'smtp_security',
      key: 'mail.security',
      kind: choice('tls', 'starttls', 'none'),
      default: 'tls',
      meaning: 'How connections to it are secured; with `none` even a password goes over the network in the clear.',
    },
    {
      name: 'smtp_ca_file',
      key: 'mail.caFile',
      kind: path,
      default: null,
      meaning: 'Authorities in PEM form that sign its certificate, in place of those that everybody trusts.',
    },
    { name: 'smtp_user_name', key: 'mail.userName', kind: text, default: null, meaning: 'Name of an account on it.' },
    {
      name: 'smtp_user_password',
      key: 'mail.userPassword',
      kind: secret,
      default: null,
      meaning: 'Password of that account.',
    },
    {
      name: 'smtp_timeout',
      key: 'mail.timeoutSeconds',
      kind: int({ min: 1, max: 300, unit: 'seconds' }),
      default: '30',
      meaning: 'How long it may take until a mail is accepted.',
    },
    {
      name: 'smtp_max_connections',
      key: 'mail.atOnce',
      kind: int({ min: 1, max: 1000 }),
      default: '5',
      meaning: 'Connections to the mail server, or mail commands, that there are at once in each process.',
    },
    {
      name: 'subscription_confirmation_email_template',
      key: 'mail.subscribed',
      kind: mailTemplate,
      default:
        'topic:Zaqar Notification - Subscription Confirmation,' +
        'body:"Somebody wants the messages of the queue {0} to be sent to this address. The queue belongs to the project ' +
        '{1}. If you want that, too, please confirm it here: {2}",' +
        'sender:Zaqar Notifications <no-reply@openstack.org>',
      meaning:
        'Mail that asks for a confirmation: {0} stands for the queue, {1} for the project, {2} for the link. Its sender is ' +
        'also that of notifications whose subscription names none.',
    },
    {
      name: 'unsubscribe_confirmation_email_template',
      key: 'mail.unsubscribed',
      kind: mailTemplate,
      default:
        'topic:Zaqar Notification - Unsubscribe Confirmation,' +
        'body:"The messages of the queue {0} are no longer sent to this address. The queue belongs to the project {1}. ' +
        'If you want them again, please say so here: {2}",' +
        'sender:Zaqar Notifications <no-reply@openstack.org>',
      meaning: 'Mail that tells of the end of a subscription, and how to have it again.',
    },
  ],
} as const satisfies OptionGroup
