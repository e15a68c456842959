import { randomBytes, randomUUID } from 'node:crypto'
import type { Ids } from './ids.ts'

export const systemIds: Ids = {
  randomId: () => randomUUID(),
  randomKey: () => randomBytes(32).toString('base64'),
  randomFraction: () => Math.random(),
}
