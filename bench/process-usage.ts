import { readFileSync } from 'node:fs'

export interface Usage {
  readonly cpuSeconds: number
  readonly residentBytes: number
}

/** Linux counts CPU time in hundredths of a second towards programs, whatever its own tick is. */
const TICKS_PER_SECOND = 100

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
