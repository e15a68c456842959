import type { LookupAddress } from 'node:dns'
import type { LookupFunction } from 'node:net'
import type { Judge } from './judge.ts'

/** All addresses of a host name, in the order in which they are tried. Rejects where there are none. */
export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>

/** None of the addresses may be sent to. */
export class RefusedAddress extends Error {
  override readonly name = 'RefusedAddress'
  readonly reason: string

  constructor(reason: string) {
    super(`the address is refused: ${reason}`)
    this.reason = reason
  }
}

/**
 * A `lookup` for sockets that hands out judged addresses only. The socket connects to what it is handed, so a name that
 * changes its addresses in between gains nothing.
 */
export function createGuardedLookup(judge: Judge, resolve: Resolve): LookupFunction {
  // All connections that are being opened to a host ask once.
  const underWay = new Map<string, ReturnType<Resolve>>()
  const addressesOf = (hostname: string) => {
    const asked = underWay.get(hostname) ?? resolve(hostname).finally(() => underWay.delete(hostname))
    underWay.set(hostname, asked)
    return asked
  }
  return (hostname, { all }, callback) => {
    addressesOf(hostname).then(
      (addresses) => {
        const judged = addresses.map((found) => ({ ...found, reason: judge(found.address) }))
        const [first, ...others] = judged.filter(({ reason }) => reason === null)
        if (first === undefined) callback(new RefusedAddress(judged[0]?.reason ?? 'no address'), [])
        else if (all) callback(null, [first, ...others])
        else callback(null, first.address, first.family)
      },
      (error: NodeJS.ErrnoException) => callback(error, []),
    )
  }
}
