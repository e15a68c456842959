import { bool, int, list } from '../kinds.ts'
import type { OptionGroup } from '../option.ts'

export const cors = {
  name: 'cors',
  options: [
    {
      name: 'allowed_origin',
      key: 'cors.allowedOrigins',
      kind: list,
      default: '',
      meaning: 'Origins of the pages that may call the service, as https://host:port; *: all.',
      reloads: true,
    },
    {
      name: 'allow_credentials',
      key: 'cors.allowCredentials',
      kind: bool,
      default: 'true',
      meaning: 'Let pages send credentials.',
      reloads: true,
    },
    {
      name: 'allow_methods',
      key: 'cors.allowMethods',
      kind: list,
      default: 'GET,PUT,POST,DELETE,PATCH,HEAD',
      meaning: 'Methods that pages may use.',
      reloads: true,
    },
    {
      name: 'allow_headers',
      key: 'cors.allowHeaders',
      kind: list,
      default:
        'X-Auth-Token,X-Identity-Status,X-Roles,X-Service-Catalog,X-User-Id,X-Tenant-Id,X-OpenStack-Request-ID,' +
        'X-Trace-Info,X-Trace-HMAC,Client-ID,X-Project-ID,URL-Signature,URL-Methods,URL-Paths,URL-Expires,Idempotency-Key,' +
        'Last-Event-ID',
      meaning: 'Headers that pages may send, beside the usual ones such as Content-Type.',
      reloads: true,
    },
    {
      name: 'expose_headers',
      key: 'cors.exposeHeaders',
      kind: list,
      default: 'X-Auth-Token,X-Subject-Token,X-Service-Token,X-OpenStack-Request-ID',
      meaning: 'Headers of answers that pages may read.',
      reloads: true,
    },
    {
      name: 'max_age',
      key: 'cors.maxAgeSeconds',
      kind: int({ min: -1, max: 2_147_483_647, unit: 'seconds' }),
      default: '3600',
      meaning: 'How long a browser may remember these rules.',
      reloads: true,
    },
  ],
} as const satisfies OptionGroup

export const furtherCors = {
  name: 'cors.*',
  options: [],
  others: 'pages of all origins follow the rules of [cors], whose allowed_origin names them',
} as const satisfies OptionGroup
