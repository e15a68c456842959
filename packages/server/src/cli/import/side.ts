/** One side of an import, in the name of one project. */
import { type Metadata, NotFound, type Topic, Zaqar, type ZaqarOptions } from 'zaqar-client/http'
import { parseJson, printJson } from '../../model/json.ts'
import type { Json, QueueKind } from '../../model/model.ts'
import { ImportError } from './import-error.ts'
import type { Named } from './import-state.ts'
import { PageLimit } from './page-limit.ts'

export type ApiVersion = '1.1' | '2'

/** Who imports is patient: some minutes, all in all. */
const RETRIES = 8

export class Side {
  readonly zaqar: Zaqar
  /** The same, but nothing is tried again. */
  readonly once: Zaqar
  readonly messagePages = new PageLimit()

  constructor(options: ZaqarOptions) {
    const exact: ZaqarOptions = { ...options, parse: parseJson, stringify: (document) => printJson(document as Json) }
    this.zaqar = new Zaqar({ ...exact, retries: RETRIES })
    this.once = new Zaqar({ ...exact, retries: 0 })
  }

  at({ kind, name }: Named): Topic {
    return this.zaqar[kind](name)
  }

  /** The same, but nothing is tried again. */
  onceAt({ kind, name }: Named): Topic {
    return this.once[kind](name)
  }

  /** What queues or topics have that say nothing. */
  async defaults(kind: QueueKind, signal: AbortSignal): Promise<Metadata> {
    // Of one that is not there either service shows these, and makes none.
    return this.at(nobody(kind)).metadata({ signal })
  }

  /** Sees that it answers. @throws ZaqarError */
  async meet(signal: AbortSignal): Promise<void> {
    for await (const _ of this.once.queues({ limit: 1, signal })) break
  }
}

/** A queue or topic that is not there. */
export function nobody(kind: QueueKind): Named {
  return { kind, name: `nothing-${crypto.randomUUID()}` }
}

/** The newest version that the source speaks: upstream's service lists also those that are switched off. @throws ImportError */
export async function findVersion(options: ZaqarOptions, signal: AbortSignal): Promise<ApiVersion> {
  for (const version of ['2', '1.1'] as const) {
    try {
      await new Side(inVersion(version, options)).meet(signal)
      return version
    } catch (error) {
      if (!(error instanceof NotFound)) throw error
    }
  }
  throw new ImportError('the source speaks neither version 2 nor 1.1 of the API of Zaqar')
}

/** Version 1.1 has what the import asks for at the same paths. */
export function inVersion(version: ApiVersion, options: ZaqarOptions): ZaqarOptions {
  if (version === '2') return options
  const { fetch = globalThis.fetch } = options
  return { ...options, fetch: (input, init) => fetch(String(input).replace('/v2/queues', '/v1.1/queues'), init) }
}
