import { type Span, SpanKind, type Tracer, trace } from '@opentelemetry/api'
import type { Storage } from '../storage/contract.ts'
import { idsAttribute, within } from './tracer.ts'

/** Makes a span of each move that is part of a trace. Those that nobody asked for, such as looking for work, are not. */
export function tracedStorage(storage: Storage, tracer: Tracer): Storage {
  const { engine } = storage.abilities
  const attributes = { 'db.system.name': engine }
  const traced = <Store extends object>(store: Store, name: string): Store =>
    Object.fromEntries(
      Object.entries(store).map(([move, run]: [string, Run]) => [
        move,
        (p: unknown) => {
          if (trace.getActiveSpan() === undefined) return run(p)
          const span = tracer.startSpan(`storage ${name}.${move}`, { kind: SpanKind.CLIENT, attributes })
          return within(span, async () => noteIds(span, await run(p)))
        },
      ]),
    ) as Store
  return {
    ...storage,
    queues: traced(storage.queues, 'queues'),
    messages: traced(storage.messages, 'messages'),
    claims: traced(storage.claims, 'claims'),
    subscriptions: traced(storage.subscriptions, 'subscriptions'),
    deliveries: traced(storage.deliveries, 'deliveries'),
  }
}

type Run = (p: unknown) => Promise<unknown>

/** By the ids of posted messages the span of a delivery is found, which comes at some other time, in another process. */
function noteIds(span: Span, answer: unknown): unknown {
  if (typeof answer !== 'object' || answer === null || !('ids' in answer)) return answer
  span.setAttributes(idsAttribute(answer.ids as string[]))
  return answer
}
