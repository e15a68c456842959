import { isIP } from 'node:net'
import { type Kind, list, url } from './kinds.ts'
import { Secret } from './secret.ts'

/** Networks as `address/length`, or single addresses. */
export const networks: Kind<readonly string[]> = {
  allowed: 'a list of networks such as 10.0.0.0/8 or fd00::/8',
  parse(text) {
    const parsed = list.parse(text)
    const fits = 'value' in parsed && parsed.value.every(isNetwork)
    return fits ? parsed : { refused: `allowed is ${networks.allowed}` }
  },
}

/** IPv4 within IPv6 is judged as IPv4, so a network of such addresses would hold nothing. */
function isNetwork(text: string): boolean {
  const [, address = '', length = '0'] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  if (isIP(address) === 4) return Number(length) <= 32
  const isMapped = URL.parse(`http://[${address}]`)?.hostname.startsWith('[::ffff:') ?? false
  return isIP(address) === 6 && Number(length) <= 128 && !isMapped
}

const proxy = url('http', 'https')

/** The address of a proxy, which may hold a password. */
export const proxyUrl: Kind<Secret> = {
  allowed: proxy.allowed,
  show: () => '***',
  parse(text) {
    const parsed = proxy.parse(text)
    if ('refused' in parsed) return parsed
    const { protocol, hostname } = new URL(parsed.value)
    // Node.js sends no address as the name of a server, and undici always sends the one of the proxy.
    const isUnnamed = protocol === 'https:' && isIP(hostname.replace(/^\[|\]$/g, '')) !== 0
    return isUnnamed ? { refused: 'a proxy with TLS has a host name' } : { value: new Secret(parsed.value) }
  },
}
