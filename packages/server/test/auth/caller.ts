import type { Caller } from '../../src/core/execute.ts'
import { NOBODY } from '../../src/core/identity.ts'

/** A caller of whom a test says what matters to it. */
export function callerWith(facts: Partial<Caller>): Caller {
  return { ...NOBODY, project: 'p1', clientId: 'c1', ...facts }
}
