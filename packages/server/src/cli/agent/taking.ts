import type { Queue } from 'zaqar-client'
import type { Clock } from '../../platform/clock.ts'
import type { Log } from './log.ts'
import type { Worker } from './worker.ts'

/** What each way of taking messages has. */
export interface Taking {
  readonly queue: Queue
  readonly worker: Worker
  /** Commands that run at the same time, at the most. */
  readonly concurrency: number
  /** Aborted with `AgentEnds` when nothing more is to be taken; what runs goes on. */
  readonly stopping: AbortSignal
  /** Aborted with `AgentEnds` when what runs is to end, too: after `stopping`, or with it. */
  readonly aborting: AbortSignal
  readonly clock: Clock
  readonly log: Log
}

/** Why a signal is aborted, when that is the end which was asked for. */
export class AgentEnds extends Error {
  override readonly name = 'AgentEnds'
}
