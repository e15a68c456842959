import type { Instant, QueueKey, QueueKind } from '../model/model.ts'
import type { Clock } from '../platform/clock.ts'
import type { Ids } from '../platform/ids.ts'
import { type QueueEngine, type Storage, StorageUnavailable } from '../storage/contract.ts'
import { ZaqarError } from './errors.ts'
import { type Asker, type Identity, objectionTo } from './identity.ts'
import type { MessageTally } from './message-tally.ts'
import type { ProjectQuotas } from './project-quotas.ts'
import type { ProjectRates } from './project-rates.ts'
import type { QueueDirectory } from './queue-directory.ts'
import type { Limits } from './rules/limits.ts'
import { checkQueueKey } from './rules/names.ts'
import type { Resource } from './rules/scope.ts'
import type { UrlSigner } from './rules/signature.ts'
import type { SocketTally } from './socket-tally.ts'
import type { Trusts } from './trusts.ts'
import { WaitEnd } from './wait-end.ts'
import type { Waiting } from './waiting.ts'

/** Who calls, whatever the door. */
export interface Caller extends Identity {
  /** `NO_PROJECT` of a caller who may do without one. */
  readonly project: string
  /**
   * The value of the client's UUID as 32 lower-case hex digits, or its free-form id; empty where it is not needed. Only
   * hides a client's own messages.
   */
  readonly clientId: string
}

/** One request for an operation, whatever carries it. */
export interface Call extends Asker {
  /** In every log line about it, and in its answer. */
  readonly id: string
  /** What the credentials of the caller must be good for. */
  readonly resource: Resource
  /** What it names before it is read: `queue`, `message`, `pool` and so on. */
  readonly names?: Readonly<Record<string, string>>
  /** The token of the caller, for what Keystone does for him alone; null: none. Asked for, so that no log shows it. */
  readonly token?: () => string | null
}

/** Tells the operator of an error that is ours. `about` goes into the log line. */
export type OnTrouble = (error: unknown, about: Readonly<Record<string, string>>) => void

/** Tells operators which process it is that answers. */
export interface ServingProcess {
  /** Of this software. */
  readonly version: string
  /** The name of its machine. */
  readonly host: string
  readonly pid: number
  readonly startedAt: Instant
}

/** What the service has for every operation. */
export interface House extends Waiting {
  readonly storage: Storage
  readonly queues: QueueDirectory
  readonly limits: Limits
  readonly clock: Clock
  readonly ids: Ids
  readonly sockets: SocketTally
  readonly process: ServingProcess
  readonly tally: MessageTally
  readonly probeStore: ProbeStore
  /** Of the pools; null where there are none. */
  readonly poolEngines: PoolEngines | null
  /** Signs URLs; null where there is no key. */
  readonly urlSigner: UrlSigner | null
  /** Null: nobody is held to any. */
  readonly rates: ProjectRates | null
  readonly quotas: ProjectQuotas | null
  /** Null where there is no Keystone that could make any. */
  readonly trusts: Trusts | null
}

/** What is there for one call of an operation. */
interface CallParts {
  readonly caller: Caller
  readonly callId: string
  /** As the call says; null: the caller has shown none. */
  token(): string | null
  /** Read once for each operation. */
  readonly now: Instant
  /**
   * Aborts when nobody waits for the answer any more, or when the credentials of the caller end: a call that waits then
   * is answered as if its time were over, and is not judged again. Made when it is asked for: few operations do.
   */
  signal(): AbortSignal
  /** As `signal`, for what goes on when the operation is over. Whoever asks for it closes it. */
  waitEnd(): WaitEnd
  /** Tells the operator of an error that does not end the operation. */
  report(error: unknown): void
  /** Whether the rules let the caller do what needs that permission. */
  may(permission: string): boolean
  /** What the operation is about. */
  readonly kind: QueueKind
  /**
   * The queue, or topic, of that name in the project of the caller.
   * @throws ZaqarError when none can be called so: a name with a slash in it would make the path of the call lead
   * elsewhere.
   */
  key(name: string): QueueKey
}

/** What an operation works with. */
export type Context = House & CallParts

/** Whether the storage of a URI may be a pool and could be opened. Changes nothing. */
export type ProbeStore = (uri: string) => Promise<boolean>

/** The engines of the pools, each by itself. */
export interface PoolEngines {
  /** The store of the service itself, which keeps the catalogue. */
  readonly own: QueueEngine
  names(): string[]
  /** Null where there is no such pool any more. @throws StorageUnavailable when it is down */
  open(pool: string): Promise<QueueEngine | null>
}

/** A policy rule that must admit the caller, and what the credentials must be good for. */
interface Need {
  readonly permission: string
  readonly resource: Resource
}

export interface Operation<Input, Output> {
  /** As in log lines: `messages.post`. */
  readonly name: string
  /** The policy rule that must admit the caller. (contract auth-policy.md 4) */
  readonly permission: string
  /** What it tried to do, for the sentence when the storage fails: `Messages could not be listed`. */
  readonly failure: string
  /** Whether its `queue` is a queue or a topic; a queue when it does not say. */
  readonly kind?: QueueKind
  /** What else the caller must be allowed, where the input asks for more than the operation does by itself. */
  needs?(input: Input, resource: Resource): readonly Need[]
  run(input: Input, ctx: Context): Promise<Output>
}

export function defineOperation<Input, Output>(operation: Operation<Input, Output>): Operation<Input, Output> {
  return operation
}

/**
 * The one way to run an operation. It judges each call anew, since a connection may be authenticated once and call
 * often: are the credentials good for this, now, and do the rules let the caller? `read` is called only then: a
 * stranger is not told what is wrong with his request.
 */
export type Execute = <Input, Output>(
  operation: Operation<Input, Output>,
  read: () => Input,
  caller: Caller,
  call: Call,
) => Promise<Output>

export interface ExecuteParts extends House {
  /** Whether the caller may do what needs that permission. */
  authorise(permission: string, caller: Caller): boolean
  readonly onTrouble: OnTrouble
}

const NEVER = new AbortController().signal

export function createExecute({ authorise, onTrouble, ...house }: ExecuteParts): Execute {
  return async (operation, read, caller, { id: callId, resource, signal: gone = () => NEVER, token = () => null }) => {
    const now = house.clock.now()
    const checkCredentials = (resource: Resource) => {
      const objection = objectionTo(caller, resource, now)
      if (objection !== null) throw new ZaqarError(objection.unauthenticated)
    }
    const checkRule = (permission: string) => {
      if (!authorise(permission, caller)) throw new ZaqarError('policy.denied')
    }
    checkCredentials(resource)
    house.rates?.countRequest(caller.project, now)
    checkRule(operation.permission)
    const { expiresAt } = caller
    let waitEnd = null as WaitEnd | null
    const newWaitEnd = () => new WaitEnd(gone(), expiresAt, house.clock)
    const signal =
      expiresAt === null
        ? gone
        : () => {
            waitEnd ??= newWaitEnd()
            return waitEnd.signal
          }
    try {
      const { kind = 'queue' } = operation
      const keyOf = (name: string) => {
        const key = { project: caller.project, kind, name }
        checkQueueKey(key)
        return key
      }
      const report = (error: unknown) => onTrouble(error, { requestId: callId, operation: operation.name })
      const input = read()
      for (const need of operation.needs?.(input, resource) ?? []) {
        checkCredentials(need.resource)
        checkRule(need.permission)
      }
      const may = (permission: string) => authorise(permission, caller)
      const ctx = { ...house, caller, callId, token, now, signal, waitEnd: newWaitEnd, report, may, kind, key: keyOf }
      return await operation.run(input, ctx)
    } catch (error) {
      if (!(error instanceof StorageUnavailable)) throw error
      throw new ZaqarError('storage.unavailable', { what: operation.failure }, { cause: error })
    } finally {
      waitEnd?.close()
    }
  }
}
