import { context, propagation, SpanKind, type Tracer } from '@opentelemetry/api'
import type { Handle } from '../http/handler.ts'
import { fail, within } from './tracer.ts'

/** Makes a span of each request, which goes on with the trace of whoever sent it (W3C `traceparent`). */
export function tracedHandle(handle: Handle, tracer: Tracer): Handle {
  return (request) => {
    const { id, method, target, headers } = request
    // The query may hold credentials.
    const [path = ''] = target.split('?', 1)
    const sender = propagation.extract(context.active(), headers)
    const attributes = { 'http.request.method': method, 'url.path': path, 'zaqar.request_id': id }
    const span = tracer.startSpan(`HTTP ${method}`, { kind: SpanKind.SERVER, attributes }, sender)
    return within(span, async () => {
      const response = await handle(request)
      span.setAttribute('http.response.status_code', response.status)
      if (response.status >= 500) fail(span, `status ${response.status}`)
      return response
    })
  }
}
