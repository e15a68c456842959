import type { Loaded } from '../../config/load.ts'
import type { Clock } from '../../platform/clock.ts'
import { askKeystone, type KeystoneAnswers } from './ask-keystone.ts'
import { askPostgres, type PostgresAnswers } from './ask-postgres.ts'
import { askService, type ServiceAnswers } from './ask-service.ts'

/** What is examined: a configuration, and what answers at the places that it names. Each is asked once. */
export interface Subject extends Loaded {
  /** Of this command. */
  readonly version: string
  readonly clock: Pick<Clock, 'now'>
  readonly service: Promise<ServiceAnswers>
  /** Null where there is none. */
  readonly keystone: Promise<KeystoneAnswers> | null
  readonly postgres: Promise<PostgresAnswers> | null
}

export function subjectOf(loaded: Loaded, version: string, clock: Pick<Clock, 'now'>): Subject {
  const { auth, storage } = loaded.config
  const { uri, listenUri } = storage
  return {
    ...loaded,
    version,
    clock,
    service: askService(loaded.config),
    keystone: auth.strategy === 'keystone' ? askKeystone(loaded.config, clock) : null,
    postgres: uri.engine === 'postgres' ? askPostgres(uri.uri.reveal(), listenUri !== null, clock) : null,
  }
}
