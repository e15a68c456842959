import type { Family, Labels, Sample } from './family.ts'

/** What a worker has told, and its number. */
export interface WorkerFamilies {
  readonly worker: number
  readonly families: readonly Family[]
}

/**
 * The metrics of several workers as those of one service (see `Scope`). `gone` has the sums of workers that have ended:
 * what was counted once stays counted.
 */
export function mergedFamilies(workers: readonly WorkerFamilies[], gone: readonly Family[]): Family[] {
  const merged = new Map<string, Family>()
  for (const { worker, families } of workers) {
    for (const family of families) {
      const before = merged.get(family.name)
      merged.set(family.name, before === undefined ? alone(family, worker) : joined(before, family, worker))
    }
  }
  for (const family of gone) {
    const before = merged.get(family.name)
    merged.set(
      family.name,
      before === undefined ? family : { ...before, samples: summed(before.samples, family.samples) },
    )
  }
  return [...merged.values()]
}

/** What is left of a worker that has ended, added to what was left of others: what only grows. */
export function withGone(gone: readonly Family[], families: readonly Family[]): Family[] {
  const growing = families.filter(({ type, scope }) => type !== 'gauge' && scope === 'sum')
  return mergedFamilies([{ worker: 0, families: growing }], gone)
}

function alone(family: Family, worker: number): Family {
  return family.scope === 'worker' ? { ...family, samples: labelled(family.samples, worker) } : family
}

function joined(before: Family, family: Family, worker: number): Family {
  switch (family.scope) {
    case 'sum':
      return { ...before, samples: summed(before.samples, family.samples) }
    case 'worker':
      return { ...before, samples: [...before.samples, ...labelled(family.samples, worker)] }
    case 'store':
      return before.samples.length > 0 ? before : family
  }
}

function labelled(samples: readonly Sample[], worker: number): Sample[] {
  return samples.map(([suffix, labels, value]) => [suffix, { worker: String(worker), ...labels }, value])
}

/** In the order in which a series was met first. */
function summed(...all: readonly (readonly Sample[])[]): Sample[] {
  const sums = new Map<string, [suffix: string, labels: Labels, value: number]>()
  for (const [suffix, labels, value] of all.flat()) {
    const key = JSON.stringify([suffix, labels])
    const sum = sums.get(key)
    if (sum === undefined) sums.set(key, [suffix, labels, value])
    else sum[2] += value
  }
  return [...sums.values()]
}
