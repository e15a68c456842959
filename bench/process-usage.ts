import { readFileSync } from 'node:fs'

export interface Usage {
  readonly cpuSeconds: number
  readonly residentBytes: number
}

/** Linux counts CPU time in hundredths of a second towards programs, whatever its own tick is. */
const TICKS_PER_SECOND = 100

/** As `usageOf` of all of them together; null where any is out of sight. */
export function usageOfAll(pids: readonly (number | null)[]): Usage | null {
  const usages = pids.map(usageOf).filter((usage) => usage !== null)
  if (usages.length < pids.length) return null
  const sum = (of: (usage: Usage) => number) => usages.reduce((total, usage) => total + of(usage), 0)
  return { cpuSeconds: sum((usage) => usage.cpuSeconds), residentBytes: sum((usage) => usage.residentBytes) }
}

/** What a process has used so far; null where it is out of sight: on another machine, or not on Linux. */
export function usageOf(pid: number | null): Usage | null {
  if (pid === null || process.platform !== 'linux') return null
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  // Fields are counted from behind the name, which is in parentheses and may contain blanks: state is the first.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const cpuSeconds = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
  return { cpuSeconds, residentBytes: Number(kibibytes) * 1024 }
}
