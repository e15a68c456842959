import { BlockList, isIP } from 'node:net'
import { hiddenAddresses } from './hidden-addresses.ts'

/** Why nothing is sent to an IP address, in one or two words; null where it may be sent to. */
export type Judge = (address: string) => string | null

export interface GuardOptions {
  /** Whether receivers on this machine are reached at its loopback addresses. */
  readonly allowLoopback: boolean
  /** Networks as `address/length`, or single addresses: opens those that are refused as `reserved`, and nothing else. */
  readonly allow: readonly string[]
  /** As above. Wins over `allow`. */
  readonly deny: readonly string[]
}

/** Refused whatever options say. The first that fits names the reason. */
const NEVER = Object.entries({
  // Clouds tell their instances secrets there: most of them; Alibaba; Azure; Oracle; AWS and Google over IPv6.
  'metadata service': [
    '169.254.169.254',
    '100.100.100.200',
    '168.63.129.16',
    '192.0.0.192',
    'fd00:ec2::254',
    'fd20:ce::254',
  ],
  'link-local': ['169.254.0.0/16', 'fe80::/10'],
  multicast: ['224.0.0.0/4', 'ff00::/8'],
  unspecified: ['0.0.0.0/8', '::'],
  broadcast: ['255.255.255.255'],
}).map(([reason, networks]) => ({ reason, networks: listOf(networks) }))

const LOOPBACK = listOf(['127.0.0.0/8', '::1'])

/** Where no receiver is by rights: shared, documentation, benchmarking, not assigned. (IANA's registries of addresses) */
const RESERVED = listOf([
  '100.64.0.0/10',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '240.0.0.0/4',
  '2001::/23',
  '2001:db8::/32',
  '3fff::/20',
  'fec0::/10',
  // All that is neither 2000::/3 nor fc00::/7, from the lowest to the highest.
  '::/8',
  '100::/8',
  '200::/7',
  '400::/6',
  '800::/5',
  '1000::/4',
  '4000::/2',
  '8000::/2',
  'c000::/3',
  'e000::/4',
  'f000::/5',
  'f800::/6',
  'fe00::/9',
])

/** Within `::/8`, and another spelling of an IPv4 address: that one decides. (RFC 4291, 7915, 6052) */
const TRANSLATED = listOf(['::ffff:0:0/96', '::ffff:0:0:0/96', '64:ff9b::/96'])

/**
 * The guard against requests to where the service reaches and its users should not. An IPv6 address that leads to an
 * IPv4 address is judged as both. Private networks may be sent to: instances of a cloud are there.
 */
export function createJudge({ allowLoopback, allow, deny }: GuardOptions): Judge {
  const allowed = listOf(allow)
  const denied = listOf(deny)

  const judgeOne = (address: string): string | null => {
    const family = familyOf(address)
    const isIn = (networks: Networks) => networks[family].check(address, family)
    const never = NEVER.find(({ networks }) => isIn(networks))
    if (never !== undefined) return never.reason
    if (isIn(LOOPBACK) && !allowLoopback) return 'loopback'
    if (isIn(denied)) return 'denied'
    const isOpen = isIn(LOOPBACK) || isIn(TRANSLATED) || isIn(allowed)
    return isIn(RESERVED) && !isOpen ? 'reserved' : null
  }

  return (address) => {
    const [bare = ''] = address.split('%', 1)
    if (isIP(bare) === 0) return 'no address'
    for (const one of [bare, ...hiddenAddresses(bare)]) {
      const reason = judgeOne(one)
      if (reason !== null) return reason
    }
    return null
  }
}

/** One list of each family: in a common one, a network such as `::/0` would hold all IPv4 addresses as well. */
type Networks = Readonly<Record<Family, BlockList>>
type Family = 'ipv4' | 'ipv6'

function listOf(networks: readonly string[]): Networks {
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() }
  for (const network of networks) {
    const [address = '', length] = network.split('/')
    const family = familyOf(address)
    lists[family].addSubnet(address, Number(length ?? (family === 'ipv4' ? 32 : 128)), family)
  }
  return lists
}

function familyOf(address: string): Family {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6'
}
