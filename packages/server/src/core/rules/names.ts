import type { QueueKey } from '../../model/model.ts'
import { ZaqarError } from '../errors.ts'

/** What queues and topics can be called. (contract http.md 1.5) */
export const QUEUE_NAME = /^[a-zA-Z0-9_.-]{1,64}$/

export const LONGEST_PROJECT_ID = 256

export function isQueueName(name: string): boolean {
  return QUEUE_NAME.test(name)
}

/** Whether a project with this id may have something stored. (contract http.md 1.4) */
export function isProjectId(id: string): boolean {
  return id.length <= LONGEST_PROJECT_ID
}

/**
 * @throws ZaqarError when no queue, or topic, can be called so, or the project can have none. (contract http.md 1.5)
 */
export function checkQueueKey({ kind, name, project }: QueueKey): void {
  if (!isQueueName(name) || !isProjectId(project)) throw new ZaqarError(`${kind}.malformed_name`)
}
