import type { FreshService } from '../support/fresh-service.ts'
import type { Actions } from './actions.ts'

/** A way in. */
export interface Door {
  readonly name: string
  /** What a client of that door does. */
  actions(service: Pick<FreshService, 'client' | 'socket'>, who: Who): Actions
}

export interface Who {
  readonly clientId: string
  readonly project: string
}
