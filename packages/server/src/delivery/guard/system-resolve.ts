import type { LookupAddress } from 'node:dns'
import { lookup, Resolver } from 'node:dns/promises'
import { readFile } from 'node:fs/promises'
import type { Resolve } from './lookup.ts'

export interface ResolveParts {
  /** Made for each name, so that it knows the name servers of the moment. */
  openResolver(): Pick<Resolver, 'resolve4' | 'resolve6'>
  /** The system's own look-up. */
  readonly lookup: Resolve
  /** Path of the file of names that come before those of name servers. */
  readonly hostsFile: string
}

/** How long a name server may take, in milliseconds, and how often it is asked. */
const QUERY = { timeout: 2_000, tries: 2 }
/** Names that wait for the system at once, since one whose servers are silent may take long. */
const MOST_IN_LINE = 16
/** The name servers of the name do not work. */
const SILENCE = ['ETIMEOUT', 'ESERVFAIL', 'EREFUSED', 'ECANCELLED']

export const systemResolve = createResolve({
  openResolver: () => new Resolver(QUERY),
  lookup: (hostname) => lookup(hostname, { all: true }),
  hostsFile: '/etc/hosts',
})

/**
 * Resolves names as the system does, without letting one name hold up others: the system's own look-up has few threads
 * (libuv gives it two), and a name whose servers are silent keeps one for many seconds. So name servers are asked
 * directly. The system is asked for what is in its file of hosts, and for what name servers do not know, as it has search
 * domains and other sources; but for one of the latter at a time.
 */
export function createResolve({ openResolver, lookup, hostsFile }: ResolveParts): Resolve {
  let last: Promise<unknown> = Promise.resolve()
  let inLine = 0
  const inTurn: Resolve = async (hostname) => {
    if (inLine >= MOST_IN_LINE) throw Object.assign(new Error('too many names wait'), { code: 'EAI_AGAIN' })
    inLine += 1
    const found = last.then(() => lookup(hostname))
    last = found
      .catch(() => undefined)
      .finally(() => {
        inLine -= 1
      })
    return found
  }

  return async (hostname) => {
    if ((await namesIn(hostsFile)).has(hostname)) return lookup(hostname)
    if (!hostname.includes('.')) return inTurn(hostname)
    const resolver = openResolver()
    const [ipv4, ipv6] = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)])
    const found = [...addressesIn(ipv4, 4), ...addressesIn(ipv6, 6)]
    if (found.length > 0) return found
    for (const { reason } of [ipv4, ipv6].filter((answer) => answer.status === 'rejected')) {
      if (SILENCE.includes(reason.code)) throw reason
    }
    return inTurn(hostname)
  }
}

function addressesIn(answer: PromiseSettledResult<string[]>, family: 4 | 6): LookupAddress[] {
  return answer.status === 'fulfilled' ? answer.value.map((address) => ({ address, family })) : []
}

async function namesIn(hostsFile: string): Promise<ReadonlySet<string>> {
  const text = await readFile(hostsFile, 'utf8').catch(() => '')
  const lines = text.toLowerCase().split('\n')
  return new Set(lines.flatMap((line) => line.replace(/#.*/, '').trim().split(/\s+/).slice(1)))
}
