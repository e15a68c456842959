import type { Json, QueueKey } from '../../model/model.ts'
import { isStorable } from '../../model/text.ts'
import { type QueueHandle, STALE, type Stale } from '../contract.ts'
import type { Identifiers } from './identifiers.ts'
import type { Lanes, Parameters } from './lanes.ts'

/** What the stores have in common. */
export interface Engine {
  readonly lanes: Lanes
  readonly identifiers: Identifiers
}

const VERSION = /^[0-9]{1,15}$/

/** Parameters of a move whose terms follow from the settings of the queue; null when no queue ever has that version. */
function versioned({ version }: QueueHandle, parameters: Parameters): Parameters | null {
  return VERSION.test(version) ? { ...parameters, version } : null
}

/** Runs a move on the queue as the caller knows it, and makes its answer what the contract says, unless it is stale. */
export async function onQueue<Answer extends Json, Result>(
  run: (move: string, key: QueueKey, parameters: Parameters) => Promise<Answer | Stale>,
  { move, queue, parameters }: { move: string; queue: QueueHandle; parameters: Parameters },
  toResult: (answer: Answer) => Result,
): Promise<Result | Stale> {
  const complete = versioned(queue, parameters)
  if (complete === null) return STALE
  const answer = await run(move, queue, complete)
  return answer === STALE ? STALE : toResult(answer as Answer)
}

/** As the start of a page, of what has storable names: no stored name lies between this and `after`. */
export function storableAfter(after: string | null): string | null {
  if (after === null || isStorable(after)) return after
  const end = after.search(/\0|[\ud800-\udfff]/)
  return after.slice(0, end)
}
