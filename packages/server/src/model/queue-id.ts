import type { QueueKey } from './model.ts'

/**
 * A text for each queue, which no other has: names and projects may hold any character, so the length says where the
 * name ends.
 */
export function queueId({ kind, name, project }: QueueKey): string {
  return `${kind} ${name.length} ${name} ${project}`
}
