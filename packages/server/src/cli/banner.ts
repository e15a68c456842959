import { resolve } from 'node:path'
import type { Loaded } from '../config/load.ts'
import { isLoopback } from '../config/loopback.ts'
import type { Config } from '../config/options.ts'
import { describeStore } from '../open-store.ts'
import type { Service } from '../service.ts'

/** What a person who has just started the service should know. */
export function banner(
  { config, sources }: Loaded,
  { url, adminUrl, socketUrl }: Pick<Service, 'url' | 'adminUrl' | 'socketUrl'>,
  version: string,
): string {
  return `Zaqar ${version} is ready at ${url}

  Data            ${describeStore(config.storage.uri)}
  Configuration   ${sources.length === 0 ? 'defaults' : sources.join(', ')}
  Authentication  ${authentication(config)}${place('Administration', adminUrl)}${place('WebSocket', socketUrl)}${names(config)}${signedUrls(config)}

Try it:

${examples(url, config)}
`
}

/** A line about one more address, where there is one; else nothing. */
function place(what: string, url: string | null): string {
  return url === null ? '' : `\n  ${what.padEnd(16)}${url}`
}

function authentication({ auth, keystone, http: { bind } }: Config): string {
  if (auth.strategy === 'keystone') return `Keystone at ${keystone.authUrl}`
  return isLoopback(bind)
    ? 'off, therefore only this machine is served'
    : `off, and other machines may reach ${bind}: everybody there can read and write everything`
}

/** A line about the names that the service answers to, where clients may call it by others; else nothing. */
function names({ auth, http: { bind, allowedHosts } }: Config): string {
  if (auth.strategy === 'keystone' || isLoopback(bind) || allowedHosts.includes('*')) return ''
  const known = ['addresses', 'localhost', ...allowedHosts].join(', ')
  return `\n  Answers to      ${known}; [http] allowed_hosts may name more`
}

/** A line about the key of signed URLs, where other nodes would refuse what this one signs; else nothing. */
function signedUrls({ auth, storage, signedUrls: { secretKey } }: Config): string {
  const hasOwnKey = auth.strategy === '' && !secretKey?.reveal()
  if (!hasOwnKey || storage.uri.engine === 'sqlite') return ''
  const place = resolve(storage.dataDir)
  return `\n  Signed URLs     by a key of this node in ${place}; several nodes need one in common, [signed_url] secret_key`
}

/** Lines that work as they are, in this order. */
function examples(url: string, { auth, tls }: Config): string {
  const who =
    auth.strategy === 'keystone'
      ? `-H "X-Auth-Token: $(openstack token issue -f value -c id)"`
      : `-H 'X-Project-ID: demo'`
  const headers = `-H 'Client-ID: 3381af92-2b9e-11e3-b191-71861300734c' ${who}`
  const body = `-H 'Content-Type: application/json' -d '{"messages": [{"ttl": 300, "body": "hello"}]}'`
  // The certificate may be one that only this machine knows.
  const curl = tls.certFile === null ? 'curl' : `curl --cacert ${tls.certFile}`
  const queue = `${url}/v2/queues/first`
  // Without echo, a listing leaves out what the same client has posted.
  return [
    `  ${curl} -i -X PUT ${headers} ${queue}`,
    `  ${curl} -i ${headers} ${body} ${queue}/messages`,
    `  ${curl} -i ${headers} '${queue}/messages?echo=true'`,
  ].join('\n')
}
