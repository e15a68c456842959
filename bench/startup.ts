import { usageOf } from './process-usage.ts'
import { median } from './statistics.ts'
import type { Subject } from './subject.ts'

export interface StartUp {
  readonly milliseconds: number
  readonly idleResidentBytes: number | null
}

const STARTS = 7
const IDLE_MILLISECONDS = 2000

/**
 * Medians over several starts on an empty store: spawn to the first answer, and memory when nothing has happened for a
 * while.
 */
export async function measureStartUp(subject: Subject): Promise<StartUp> {
  const milliseconds: number[] = []
  const residentBytes: number[] = []
  for (let start = 0; start < STARTS; start++) {
    const server = await subject.start('bench-idle')
    milliseconds.push(server.startMilliseconds)
    await new Promise((resolve) => setTimeout(resolve, IDLE_MILLISECONDS))
    const usage = usageOf(server.target.pid)
    if (usage !== null) residentBytes.push(usage.residentBytes)
    await server.stop()
  }
  return {
    milliseconds: median(milliseconds),
    idleResidentBytes: residentBytes.length === 0 ? null : median(residentBytes),
  }
}
