import { ZaqarError } from './errors.ts'

/**
 * The address of a service without the version of its API and without a slash at its end: `https://cloud.example/queues`
 * of `https://cloud.example/queues/v2/`. @throws ZaqarError where it is none
 */
export function baseOf(url: string): string {
  const { protocol, origin, pathname } = URL.parse(url) ?? {}
  if (pathname === undefined || !/^https?:$/.test(protocol ?? '')) {
    throw new ZaqarError('bad_request', `An address begins with http:// or https://, and "${url}" is none.`)
  }
  const parts = pathname.split('/').filter((part) => part !== '')
  if (/^v\d+(\.\d+)?$/.test(parts.at(-1) ?? '')) parts.pop()
  return [origin, ...parts].join('/')
}
