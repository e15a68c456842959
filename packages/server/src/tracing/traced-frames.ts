import { context, propagation, SpanKind, type Tracer } from '@opentelemetry/api'
import type { AroundFrame } from '../websocket/session.ts'
import { fail, within } from './tracer.ts'

/** Makes a span of each request over a WebSocket, which goes on with the trace in the headers of its frame (W3C `traceparent`). */
export function tracedFrames(tracer: Tracer): AroundFrame {
  return ({ action, headers }, id, answer) => {
    const sender = propagation.extract(context.active(), headers)
    const attributes = { 'zaqar.action': action, 'zaqar.request_id': id }
    const span = tracer.startSpan(`WebSocket ${action}`, { kind: SpanKind.SERVER, attributes }, sender)
    return within(span, async () => {
      const answered = await answer()
      span.setAttribute('zaqar.status', answered.status)
      if (answered.status >= 500) fail(span, `status ${answered.status}`)
      return answered
    })
  }
}
