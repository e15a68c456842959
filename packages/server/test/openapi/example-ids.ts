import * as exampleIds from '../../src/wire/v2/example-ids.ts'

/** The ids of a run, by those of examples that stand for them. */
export type Ids = Map<string, string>

/** An example with the ids of this run. */
export function withIds<T>(value: T, ids: ReadonlyMap<string, string>): T {
  const text = [...ids].reduce((text, [shown, real]) => text.replaceAll(shown, real), JSON.stringify(value))
  return JSON.parse(text) as T
}

/** Where an example has an id that was not met before, the answer has the real one. */
export function learn(shown: unknown, found: unknown, ids: Ids): void {
  if (typeof shown === 'string' && typeof found === 'string') learnFromText(withIds(shown, ids), found, ids)
  if (typeof shown !== 'object' || shown === null || typeof found !== 'object' || found === null) return
  for (const [key, value] of Object.entries(shown)) learn(value, (found as Record<string, unknown>)[key], ids)
}

function learnFromText(shown: string, found: string, ids: Ids): void {
  const known: readonly string[] = Object.values(exampleIds)
  const inside = known.filter((id) => shown.includes(id)).sort((a, b) => shown.indexOf(a) - shown.indexOf(b))
  const pattern = inside.reduce((text, id) => text.replace(id, '([\\w+/=-]+)'), shown.replace(/[?.+*{}[\]]/g, '\\$&'))
  const real = new RegExp(`^${pattern}$`).exec(found)
  if (real === null) return
  for (const [index, id] of inside.entries()) if (!ids.has(id)) ids.set(id, real[index + 1] as string)
}
