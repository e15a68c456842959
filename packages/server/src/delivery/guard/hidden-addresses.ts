import { isIPv6 } from 'node:net'

/**
 * The IPv4 addresses that an IPv6 address may lead to, as a translator or a tunnel on the way reads them out of it; none
 * for all others. (RFC 4291 2.5.5, 6052 2.2, 7915, 3056, 4380, 5214)
 * @param address as text, without a zone
 */
export function hiddenAddresses(address: string): string[] {
  if (!isIPv6(address)) return []
  const bytes = bytesOf(address)
  const ipv4At = (...places: readonly number[]) => places.map((place) => bytes[place] ?? 0).join('.')
  const begins = (...start: readonly number[]) => start.every((byte, place) => byte === bytes[place])
  const last = ipv4At(12, 13, 14, 15)
  const zeros = (count: number) => Array<number>(count).fill(0)

  // IPv4-compatible (:: and ::1 are not among them), IPv4-mapped, IPv4-translated.
  if (begins(...zeros(12))) return bytes[12] === 0 ? [] : [last]
  if (begins(...zeros(10), 0xff, 0xff) || begins(...zeros(8), 0xff, 0xff, 0, 0)) return [last]
  // NAT64, with the well-known prefix.
  if (begins(0, 0x64, 0xff, 0x9b, ...zeros(8))) return [last]
  // NAT64 of a network of its own: only its owner knows which of the lengths the prefix has. Behind the shorter ones a
  // longer one shows as zeros.
  if (begins(0, 0x64, 0xff, 0x9b, 0, 1)) {
    return [ipv4At(6, 7, 9, 10), ipv4At(7, 9, 10, 11), ipv4At(9, 10, 11, 12), last].filter(
      (found) => !found.startsWith('0.'),
    )
  }
  // 6to4.
  if (begins(0x20, 0x02)) return [ipv4At(2, 3, 4, 5)]
  // Teredo: the server, and the client with all its bits inverted.
  if (begins(0x20, 0x01, 0, 0)) {
    return [ipv4At(4, 5, 6, 7), [12, 13, 14, 15].map((place) => 255 - (bytes[place] ?? 0)).join('.')]
  }
  // ISATAP, below any prefix.
  if (bytes[10] === 0x5e && bytes[11] === 0xfe && bytes[9] === 0 && (bytes[8] === 0 || bytes[8] === 2)) return [last]
  return []
}

/** The sixteen bytes of an IPv6 address. */
function bytesOf(address: string): number[] {
  // The URL writes the address in one form: hexadecimal, in lower case, with the longest row of zeros left out.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const groupsOf = (text: string) => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)))
  const first = groupsOf(head)
  const rest = groupsOf(tail ?? '')
  const left = Array<number>(8 - first.length - rest.length).fill(0)
  return [...first, ...left, ...rest].flatMap((group) => [group >> 8, group & 0xff])
}
