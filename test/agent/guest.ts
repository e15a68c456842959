import { execFileSync } from 'node:child_process'

/** So long as a name of an interface may be, whatever the id of the process is. */
const NAME = `zq${process.pid.toString(36)}`

/** A network of its own with one cable, at the other end of which is this machine. */
export interface Guest {
  /** Address of this machine as the guest reaches it. */
  readonly hostAddress: string
  /** Runs the command behind it in the guest. */
  readonly under: readonly string[]
  unplug(): void
  plug(): void
  /** Where the guest finds a way to, as the kernel prints it. */
  routes(): string
  /** How often it found no way to an address. */
  lostRequests(): number
  remove(): void
}

/** Answers why there is none where that may not be done. */
export function createGuest(): Guest | string {
  try {
    ip('netns', 'add', NAME)
  } catch {
    return 'only root may make network namespaces, and not everywhere'
  }
  // Four addresses of the network that is kept for tests (RFC 2544); others, most likely, than those of another process.
  const first = (process.pid % (1 << 15)) * 4
  const address = (n: number) => `198.${18 + (first >> 16)}.${(first >> 8) & 255}.${(first & 255) + n}`
  const guest: Guest = {
    hostAddress: address(1),
    under: ['ip', 'netns', 'exec', NAME],
    unplug: () => void ip('-n', NAME, 'link', 'set', 'cable', 'down'),
    plug: () => void ip('-n', NAME, 'link', 'set', 'cable', 'up'),
    routes: () => ip('-n', NAME, 'route'),
    lostRequests() {
      const counters = run('ip', 'netns', 'exec', NAME, 'cat', '/proc/net/snmp')
      const [names, values] = [...counters.matchAll(/^Ip: (.*)$/gm)].map(([, line]) => line?.split(' ') ?? [])
      return Number(values?.[names?.indexOf('OutNoRoutes') ?? -1])
    },
    // With it goes its end of the cable, and so the other one.
    remove: () => void ip('netns', 'delete', NAME),
  }
  try {
    ip('link', 'add', NAME, 'type', 'veth', 'peer', 'name', 'cable', 'netns', NAME)
    ip('address', 'add', `${address(1)}/30`, 'dev', NAME)
    ip('-n', NAME, 'address', 'add', `${address(2)}/30`, 'dev', 'cable')
    ip('link', 'set', NAME, 'up')
    guest.plug()
    return guest
  } catch (error) {
    guest.remove()
    throw error
  }
}

function ip(...args: string[]): string {
  return run('ip', ...args)
}

function run(command: string, ...args: string[]): string {
  return execFileSync(command, args, { encoding: 'utf8', stdio: 'pipe' })
}
