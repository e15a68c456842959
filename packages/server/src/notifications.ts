/** Puts the delivery of notifications together: the ways to receivers, and who delivers. */
import { readFileSync } from 'node:fs'
import type { Tracer } from '@opentelemetry/api'
import type { Access } from './access.ts'
import { secondsAfterDelay } from './config/closing-time.ts'
import type { Config } from './config/options.ts'
import { readVault } from './core/rules/vault.ts'
import { createMailChannel, type MailOptions } from './delivery/channels/mail.ts'
import { createWebhookChannel, type WebhookOptions } from './delivery/channels/webhook.ts'
import { DeliveryMeter } from './delivery/delivery-meter.ts'
import { Dispatcher, type DispatcherParts, type Measure } from './delivery/dispatcher.ts'
import { systemResolve } from './delivery/guard/system-resolve.ts'
import { hostOf, LOOK_UP_SECONDS, Receivers } from './delivery/receivers.ts'
import type { Metrics } from './metrics/metrics.ts'
import type { Clock } from './platform/clock.ts'
import { elapsed } from './platform/elapsed.ts'
import { startTimeLimit } from './platform/time-limit.ts'
import { STALE, type Storage } from './storage/contract.ts'
import { tracedSend, tracedWebhook } from './tracing/traced-delivery.ts'

export interface NotificationsParts {
  readonly config: Config
  readonly access: Pick<Access, 'publicEndpoints' | 'trusts' | 'urlSigner'>
  /** As operations see it: bodies are not encrypted. */
  readonly storage: Storage
  readonly clock: Clock
  /** Gets what is measured here. */
  readonly metrics: Metrics
  /** Null: nobody wants traces. */
  readonly tracer: Tracer | null
  /** Of this software. */
  readonly version: string
  /** Whether the service itself listens on a loopback address only. */
  readonly isOnLoopback: boolean
  /** Where the service listens. */
  readonly ownUrl: string
  /** How many requests have come to the service so far. */
  requests(): number
  /** Told of every error that is ours, or the operator's to mend. */
  report(error: unknown): void
  /** Told of subscriptions that have ended because their receivers are gone. */
  ended(subscription: Readonly<Record<'project' | 'queue' | 'subscription', string>>): void
  /** Told how many messages a receiver has taken. */
  delivered: DispatcherParts['delivered']
}

/** A lease goes on for so much longer than a try may take, in seconds. */
const LEASE_RESERVE = 15
/** A body of two full posts in a batch, all of whose characters are escaped; and of what an owner puts around it. */
const MOST_ESCAPED = 12
const ROOM_FOR_TEMPLATE = 1 << 20
/** A try that begins when little of the lease is left would end after it. */
const TRY_RESERVE = 1

export interface Notifications {
  /** `config` differs from the one before in options that reload. */
  reconfigure(config: Config): void
  close(): Promise<void>
}

/** Tells subscriptions of what is posted. */
export function openNotifications(parts: NotificationsParts): Notifications {
  const { config, access, storage, clock, metrics, tracer, version, ownUrl, requests, report } = parts
  const { notification, limits, mail, webhooks, http } = config
  const webhook = createWebhookChannel({
    options: webhookOptions(parts),
    version,
    clock,
    startTimeLimit,
    resolve: systemResolve,
  })
  const receivers = new Receivers({
    webhook: tracer === null ? webhook : tracedWebhook(webhook),
    mail: createMailChannel(mailOptions(config)),
    mailSender: mail.subscribed.sender,
    templates: { SubscriptionConfirmation: mail.subscribed, UnsubscribeConfirmation: mail.unsubscribed },
    trustTokens: access.trusts,
    signer: access.urlSigner,
    publicEndpoints: access.publicEndpoints,
    confirmationPage: notification.externalConfirmationUrl,
    ownUrl,
    clock,
    startTimeLimit,
    report,
  })
  const asksKeystone = config.auth.strategy === 'keystone'
  const longestSendSeconds = Math.max(webhooks.requestSeconds, mail.timeoutSeconds)
  const longestTrySeconds = longestSendSeconds + (asksKeystone ? LOOK_UP_SECONDS : 0) + TRY_RESERVE
  const send: DispatcherParts['send'] = (parcel, signal) => receivers.send(parcel, signal)
  const dispatcher = new Dispatcher({
    storage,
    watchWork: (listener) => storage.watchWork(listener),
    clock,
    hostOf,
    send: tracer === null ? send : tracedSend(send, tracer),
    async endSubscription(queue, subscription) {
      const now = clock.now()
      const present = await storage.subscriptions.get({ queue, id: subscription.id, now })
      // It may have been given another subscriber meanwhile, who says nothing of the kind.
      const isSame = present !== null && present !== STALE && present.subscriber === subscription.subscriber
      if (!isSame) return
      await storage.subscriptions.delete({ queue, id: subscription.id, now })
      const { trust } = readVault(subscription.vault)
      if (trust !== null) access.trusts?.discard(trust.id)
      parts.ended({ project: queue.project, queue: queue.name, subscription: subscription.id })
    },
    terms: {
      leaseSeconds: longestTrySeconds + LEASE_RESERVE,
      longestTrySeconds,
      keep: {
        log: notification.keptDeliveries,
        failures: notification.keptFailures,
        failureSeconds: limits.deliveryRecordSeconds,
      },
      requiresConfirmation: notification.requiresConfirmation,
    },
    ...measureOf(config),
    meter: new DeliveryMeter(metrics, elapsed),
    delivered: parts.delivered,
    startTimeLimit,
    closingSeconds: secondsAfterDelay(http),
    elapsed,
    requests,
    report,
  })
  metrics.gauge(
    { name: 'zaqar_deliveries_under_way', help: 'Subscriptions that are being delivered to' },
    () => dispatcher.underWay,
  )
  return {
    reconfigure: (latest) => dispatcher.setMeasure(measureOf(latest)),
    async close() {
      await dispatcher.close()
      await receivers.close()
    },
  }
}

function measureOf({ notification, limits }: Config): Measure {
  return {
    atOnce: {
      all: notification.maxDeliveries,
      perHost: notification.maxDeliveriesPerHost,
      perProject: notification.maxDeliveriesPerProject,
    },
    longestBody: MOST_ESCAPED * limits.maxMessagesPostBytes + ROOM_FOR_TEMPLATE,
  }
}

function webhookOptions({ config: { webhooks, notification }, isOnLoopback }: NotificationsParts): WebhookOptions {
  const { connectSeconds, headersSeconds, requestSeconds } = webhooks
  return {
    connectSeconds,
    headersSeconds,
    requestSeconds,
    connectionsPerHost: notification.maxDeliveriesPerHost,
    proxyUrl: webhooks.proxyUrl?.reveal() ?? null,
    ca: contents(webhooks.caFile),
    cert: contents(webhooks.clientCertFile),
    key: contents(webhooks.clientKeyFile),
    allowLoopback: isOnLoopback,
    allow: webhooks.allowNetworks,
    deny: webhooks.denyNetworks,
  }
}

function mailOptions({ mail }: Config): MailOptions {
  const { mode, command, host, port, security, userName, userPassword, caFile, timeoutSeconds, atOnce } = mail
  const login = userName === null ? null : { user: userName, password: userPassword?.reveal() ?? '' }
  const server = { host: host ?? 'localhost', port, security, login, ca: contents(caFile) }
  return { carrier: mode === 'third_part' ? { command } : server, timeoutSeconds, atOnce }
}

function contents(file: string | null): string | null {
  return file === null ? null : readFileSync(file, 'utf8')
}
