import type { Tracer } from '@opentelemetry/api'
import type { Execute } from '../core/execute.ts'
import { within } from './tracer.ts'

/** Makes a span of each operation. */
export function tracedExecute(execute: Execute, tracer: Tracer): Execute {
  return (operation, read, caller, call) => {
    const { queue } = call.names ?? {}
    const attributes = {
      'zaqar.operation': operation.name,
      'zaqar.project': caller.project,
      'zaqar.request_id': call.id,
      ...(queue !== undefined && { [`zaqar.${operation.kind ?? 'queue'}`]: queue }),
    }
    return within(tracer.startSpan(operation.name, { attributes }), () => execute(operation, read, caller, call))
  }
}
