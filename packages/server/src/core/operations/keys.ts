import type { Caller } from '../execute.ts'
import type { QueueKey } from '../model/model.ts'

export function queueKey(caller: Caller, name: string): QueueKey {
  return { project: caller.project, kind: 'queue', name }
}
