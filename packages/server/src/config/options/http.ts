import { address, bool, hostNames, int, path, port } from '../kinds.ts'
import type { OptionGroup } from '../option.ts'

export const listener = {
  name: 'drivers:transport:wsgi',
  options: [
    {
      name: 'bind',
      key: 'http.bind',
      kind: address,
      default: '127.0.0.1',
      meaning: 'Address to listen on.',
      flag: { name: 'bind', value: 'ADDRESS' },
    },
    {
      name: 'port',
      key: 'http.port',
      kind: port,
      default: '8888',
      meaning: 'Port to listen on; 0: one that is free.',
      flag: { name: 'port', value: 'N' },
    },
    {
      name: 'workers',
      key: 'http.workers',
      kind: int({ min: 1, max: 256 }),
      default: '1',
      meaning: 'Processes behind the port, about one for each core; more than one on PostgreSQL only.',
      flag: { name: 'workers', value: 'N' },
    },
  ],
} as const satisfies OptionGroup

export const http = {
  name: 'http',
  options: [
    {
      name: 'expose_without_authentication',
      key: 'http.exposeWithoutAuthentication',
      kind: bool,
      default: 'false',
      meaning:
        'Allow an address that other machines reach, although everybody there may then read and write everything.',
      flag: { name: 'expose-without-authentication', value: null },
    },
    {
      name: 'allowed_hosts',
      key: 'http.allowedHosts',
      kind: hostNames,
      default: '',
      meaning:
        'Names that a service without authentication answers to, beside localhost, addresses and a name to listen on; *: any. ' +
        'A web page could else reach it by a name of its own.',
      reloads: true,
    },
    {
      name: 'credentials_in_query',
      key: 'http.credentialsInQuery',
      kind: bool,
      default: 'false',
      meaning:
        'Take a token, or the values of a signed URL, also from the query of an event stream or of a WebSocket upgrade: ' +
        '`auth_token`, `url_signature`, `url_methods`, `url_paths`, `url_expires`. Pages can set no headers there. This ' +
        'service logs none of them, proxies may.',
      reloads: true,
    },
    {
      name: 'admin_port',
      key: 'http.adminPort',
      kind: port,
      default: null,
      meaning:
        'Port where alone the routes of health, pools and flavors are served, beside all others; when it is not set, they are with the others.',
    },
    {
      name: 'admin_bind',
      key: 'http.adminBind',
      kind: address,
      default: '127.0.0.1',
      meaning: 'Address to listen on at `admin_port`.',
    },
    {
      name: 'max_header_size',
      key: 'http.maxHeaderBytes',
      kind: int({ min: 1024, max: 1_048_576, unit: 'bytes' }),
      default: '32768',
      meaning: 'The largest head of a request: its first line and all headers.',
    },
    {
      name: 'request_timeout',
      key: 'http.requestTimeoutSeconds',
      kind: int({ min: 1, max: 3600, unit: 'seconds' }),
      default: '60',
      meaning: 'Time within which a request must have arrived whole.',
    },
    {
      name: 'max_connections',
      key: 'http.maxConnections',
      kind: int({ min: 1, max: 1_000_000 }),
      default: '20000',
      meaning: 'The most connections of a process at one time; further ones are closed.',
    },
    {
      name: 'memory_budget',
      key: 'http.memoryBudgetBytes',
      kind: int({ min: 16_777_216, max: 1_099_511_627_776, unit: 'bytes' }),
      default: null,
      meaning:
        'Memory of a process for requests that are being read or wait, and for answers that are not taken; further ones are refused for a while. Not set: a quarter of the heap that Node.js may use.',
    },
  ],
} as const satisfies OptionGroup

export const ssl = {
  name: 'ssl',
  options: [
    {
      name: 'cert_file',
      key: 'tls.certFile',
      kind: path,
      default: null,
      meaning:
        'Certificate of the server in PEM form, followed by those that lead to its authority; with it and `key_file` both ' +
        'listeners speak HTTPS. Files that change are read again.',
    },
    {
      name: 'key_file',
      key: 'tls.keyFile',
      kind: path,
      default: null,
      meaning: 'Private key of the certificate in PEM form, without a passphrase.',
    },
    {
      name: 'ca_file',
      key: 'tls.caFile',
      kind: path,
      default: null,
      meaning:
        'Authorities in PEM form, one of which must have signed the certificate that then every client has to show.',
    },
  ],
} as const satisfies OptionGroup
