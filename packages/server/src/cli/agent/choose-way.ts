import type { SharedQueue } from '../signed-url-file.ts'

/** How messages are taken: claimed, popped, or only read, from behind a marker on. */
type Way = 'claims' | 'pop' | 'follow'

export interface Choice {
  readonly way: Way
  /** What the better ways would need, such as `PATCH on claims`. */
  readonly missing: readonly string[]
}

type Need = readonly [method: string, resource: 'messages' | 'claims']

/** What each way needs, the best first. */
const WAYS: readonly { readonly way: Way; readonly needs: readonly Need[] }[] = [
  {
    way: 'claims',
    needs: [
      ['POST', 'claims'],
      ['PATCH', 'claims'],
      ['DELETE', 'claims'],
      ['DELETE', 'messages'],
    ],
  },
  { way: 'pop', needs: [['DELETE', 'messages']] },
  { way: 'follow', needs: [['GET', 'messages']] },
]

/** The best way that the signed values allow; null where they allow none. */
export function chooseWay(shared: SharedQueue): Choice | null {
  const missing = new Set<string>()
  for (const { way, needs } of WAYS) {
    const unmet = needs.filter((need) => !allows(shared, ...need))
    if (unmet.length === 0) return { way, missing: [...missing] }
    for (const [method, resource] of unmet) missing.add(`${method} on ${resource}`)
  }
  return null
}

/** Whether the signed values are good for this. (contract signed-urls.md 4) */
export function allows({ queue, signed: { methods, paths } }: SharedQueue, ...[method, resource]: Need): boolean {
  return methods.includes(method) && paths.includes(`/v2/queues/${queue}/${resource}`)
}
