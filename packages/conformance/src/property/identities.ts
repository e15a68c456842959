import assert from 'node:assert/strict'

/** A thing as the engine calls it and as the model calls it. */
export interface Pair<T> {
  readonly engine: T
  readonly model: T
}

/** The fields of answers whose values each storage chooses for itself. */
const opaqueFields = new Set(['id', 'ids', 'claimId', 'version', 'kept', 'gone'])

/**
 * Which name of the engine stands for which name of the model. One engine name never stands for two things, nor two for
 * one, over a whole sequence: so ids and versions that are used again show up.
 */
export class Identities {
  readonly #modelNames = new Map<string, string>()
  readonly #engineNames = new Map<string, string>()

  /** Fails unless the two answers are alike when the names that each storage chose are matched up. */
  compare(answers: Pair<unknown>): void {
    assert.deepEqual(this.#translate(answers.engine, answers.model, false), answers.model)
  }

  /** What the model calls by that name the engine calls by another one from now on. */
  rename({ engine, model }: Pair<string>): void {
    const before = this.#engineNames.get(model)
    if (before !== undefined) this.#modelNames.delete(before)
    this.#modelNames.set(engine, model)
    this.#engineNames.set(model, engine)
  }

  /** The engine's answer in the words of the model, as far as it has the same shape. */
  #translate(engine: unknown, model: unknown, isOpaque: boolean): unknown {
    if (isOpaque && typeof engine === 'string' && typeof model === 'string') return this.#match(engine, model)
    if (Array.isArray(engine) && Array.isArray(model)) {
      return engine.map((element, index) => this.#translate(element, model[index], isOpaque))
    }
    if (isRecord(engine) && isRecord(model)) {
      // The model has no pools to put its queues on.
      const fields = Object.entries(engine).filter(([field]) => field !== 'pool' || 'pool' in model)
      return Object.fromEntries(
        fields.map(([field, value]) => [
          field,
          this.#field(field, field === 'version' ? onPool(engine) : value, model[field]),
        ]),
      )
    }
    return engine
  }

  #field(field: string, engine: unknown, model: unknown): unknown {
    // Several markers may name one place, so it only counts whether there is one.
    if (field === 'marker' || field === 'posting' || field === 'end')
      return typeof engine === 'string' && typeof model === 'string' ? model : engine
    return this.#translate(engine, model, opaqueFields.has(field))
  }

  #match(engine: string, model: string): string {
    const known = this.#modelNames.get(engine)
    if (known !== undefined) return known
    // Somebody else's name for the model's thing: the answers differ, and the difference shows the engine's name.
    if (this.#engineNames.has(model)) return engine
    this.#modelNames.set(engine, model)
    this.#engineNames.set(model, engine)
    return model
  }
}

/** The version of a queue. On which of several engines it lies the model does not know; each has versions of its own. */
export function onPool({ version, pool }: { readonly version?: unknown; readonly pool?: unknown }): string {
  return typeof pool === 'string' ? `${pool} ${version}` : `${version}`
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
