/**
 * The address of a service without the version of its API and without a slash at its end: `https://cloud.example/queues`
 * of `https://cloud.example/queues/v2/`.
 */
export function baseOf(url: string): string {
  const { origin, pathname } = new URL(url)
  const parts = pathname.split('/').filter((part) => part !== '')
  if (/^v\d/.test(parts.at(-1) ?? '')) parts.pop()
  return [origin, ...parts].join('/')
}
