import type { Clock } from '../platform/clock.ts'
import { type Storage, StorageUnavailable } from '../storage/contract.ts'
import { ZaqarError } from './errors.ts'
import type { Instant } from './model/model.ts'
import { QueueDirectory } from './queue-directory.ts'
import type { Limits } from './rules/limits.ts'

/** Who calls, whatever the door. */
export interface Caller {
  readonly project: string
  /** The value of the client's UUID as 32 lower-case hex digits, or its free-form id. Only hides a client's own messages. */
  readonly clientId: string
}

/** What an operation works with. */
export interface Context {
  readonly caller: Caller
  /** Read once for each operation. */
  readonly now: Instant
  readonly storage: Storage
  readonly queues: QueueDirectory
  readonly limits: Limits
}

export interface Operation<Input, Output> {
  /** As in log lines: `messages.post`. */
  readonly name: string
  /** What it tried to do, for the sentence when the storage fails: `Messages could not be listed`. */
  readonly failure: string
  run(input: Input, ctx: Context): Promise<Output>
}

export function defineOperation<Input, Output>(operation: Operation<Input, Output>): Operation<Input, Output> {
  return operation
}

/** The one way to run an operation. */
export type Execute = <Input, Output>(
  operation: Operation<Input, Output>,
  input: Input,
  caller: Caller,
) => Promise<Output>

export function createExecute(parts: { storage: Storage; clock: Clock; limits: Limits }): Execute {
  const { storage, clock, limits } = parts
  const queues = new QueueDirectory(storage.queues)
  return async (operation, input, caller) => {
    try {
      return await operation.run(input, { caller, now: clock.now(), storage, queues, limits })
    } catch (error) {
      if (!(error instanceof StorageUnavailable)) throw error
      throw new ZaqarError('storage.unavailable', { what: operation.failure }, { cause: error })
    }
  }
}
