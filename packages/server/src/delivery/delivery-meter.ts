import { schemeOf } from '../core/rules/subscriber.ts'
import { isTrusted } from '../core/rules/trusted-subscriber.ts'
import { type Counter, DURATIONS, Histogram } from '../metrics/instruments.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { Subscription } from '../model/model.ts'

const CHANNELS = ['webhook', 'trust', 'mail'] as const
type Channel = (typeof CHANNELS)[number]

/**
 * `postponed`: it will be tried again. `failed`: at last. `gone`: the receiver wants no more, and the subscription has
 * ended.
 */
const OUTCOMES = ['delivered', 'postponed', 'failed', 'gone'] as const
type Became = (typeof OUTCOMES)[number]

/** Counts what becomes of notifications, by the channel to their receivers, and measures how long sending takes. */
export class DeliveryMeter {
  readonly #elapsed: () => number
  readonly #counters: Readonly<Record<Channel, Readonly<Record<Became, Counter>>>>
  readonly #durations: Readonly<Record<Channel, Histogram>>

  /** `elapsed`: milliseconds, with fractions. */
  constructor(metrics: Metrics, elapsed: () => number) {
    this.#elapsed = elapsed
    const counter = metrics.counter({
      name: 'zaqar_deliveries_total',
      help: 'What became of notifications, by channel and outcome',
    })
    this.#counters = ofEach(CHANNELS, (channel) => ofEach(OUTCOMES, (outcome) => counter({ channel, outcome })))
    this.#durations = ofEach(CHANNELS, () => new Histogram(DURATIONS))
    metrics.histogram(
      { name: 'zaqar_delivery_duration_seconds', help: 'How long it took to send a request or mail, by channel' },
      () => CHANNELS.map((channel) => [{ channel }, this.#durations[channel]]),
    )
  }

  /** Answers what `sent` takes. */
  begin(): number {
    return this.#elapsed()
  }

  sent(subscription: Subscription, begun: number): void {
    this.#durations[channelOf(subscription)].observe((this.#elapsed() - begun) / 1000)
  }

  became(outcome: Became, subscription: Subscription, notifications: number): void {
    this.#counters[channelOf(subscription)][outcome].add(notifications)
  }
}

function channelOf({ subscriber }: Subscription): Channel {
  if (schemeOf(subscriber) === 'mailto') return 'mail'
  return isTrusted(subscriber) ? 'trust' : 'webhook'
}

function ofEach<Key extends string, Value>(keys: readonly Key[], make: (key: Key) => Value): Record<Key, Value> {
  return Object.fromEntries(keys.map((key) => [key, make(key)])) as Record<Key, Value>
}
