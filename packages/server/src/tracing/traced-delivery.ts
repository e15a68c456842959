import { context, propagation, SpanKind, type Tracer } from '@opentelemetry/api'
import type { Answer, Channel, WebhookRequest } from '../delivery/channel.ts'
import type { Parcel } from '../delivery/deliver.ts'
import { fail, idsAttribute, within } from './tracer.ts'

type Send = (parcel: Parcel, signal: AbortSignal) => Promise<Answer>

/**
 * Makes a span of each try to tell a subscription of messages. It begins a trace, since the context of a POST is not
 * stored; the ids of the messages are in both.
 */
export function tracedSend(send: Send, tracer: Tracer): Send {
  return (parcel, signal) => {
    const { queue, subscription, notifications } = parcel
    const ids = notifications.flatMap(({ content }) => (content.kind === 'message' ? [content.message.id] : []))
    const attributes = {
      'zaqar.project': queue.project,
      [`zaqar.${queue.kind}`]: queue.name,
      'zaqar.subscription': subscription.id,
      ...idsAttribute(ids),
    }
    const span = tracer.startSpan('deliver', { kind: SpanKind.PRODUCER, attributes, root: true })
    return within(span, async () => {
      const answer = await send(parcel, signal)
      if (answer.status !== null) span.setAttribute('http.response.status_code', answer.status)
      if (answer.result !== 'delivered') fail(span, answer.reason ?? answer.result)
      return answer
    })
  }
}

/** Requests to webhooks say which trace they are part of, unless the subscription has such a header of its own. */
export function tracedWebhook(channel: Channel<WebhookRequest>): Channel<WebhookRequest> {
  return {
    send(request, signal) {
      const headers: Record<string, string> = {}
      propagation.inject(context.active(), headers)
      return channel.send({ ...request, headers: { ...headers, ...request.headers } }, signal)
    },
    close: () => channel.close(),
  }
}
