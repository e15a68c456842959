import {
  type Attributes,
  context,
  ProxyTracerProvider,
  type Span,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'

const NAME = 'zaqar'

/**
 * Makes spans for the SDK of OpenTelemetry that was registered in this process before the service began; null where there
 * is none. Then nothing is put around anything, and tracing costs nothing.
 */
export function openTracer(version?: string): Tracer | null {
  const provider = trace.getTracerProvider()
  const isRegistered =
    !(provider instanceof ProxyTracerProvider) || provider.getDelegateTracer(NAME, version) !== undefined
  return isRegistered ? trace.getTracer(NAME, version) : null
}

/** Runs what the span is about, within it, and ends it. What fails is noted, and fails. */
export async function within<T>(span: Span, run: () => Promise<T>): Promise<T> {
  try {
    return await context.with(trace.setSpan(context.active(), span), run)
  } catch (error) {
    fail(span, error instanceof Error ? error.message : String(error))
    throw error
  } finally {
    span.end()
  }
}

export function fail(span: Span, message: string): void {
  span.setStatus({ code: SpanStatusCode.ERROR, message })
}

/** For log lines that are written within a span. */
export function spanFields(): object {
  const span = trace.getActiveSpan()
  if (span === undefined) return {}
  const { traceId, spanId } = span.spanContext()
  return { trace_id: traceId, span_id: spanId }
}

/** Messages that a span is about, as many as help to find it. */
export function idsAttribute(ids: readonly string[]): Attributes {
  return { 'zaqar.message.ids': ids.slice(0, MOST_IDS) }
}

const MOST_IDS = 20
