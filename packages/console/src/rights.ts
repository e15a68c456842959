import type { SignedUrl } from 'zaqar-client'

type Of<Noun extends string, Verb extends string> = `${Noun}:${Verb}`

/** What a page can be about to do, by the rule of the service's policy that guards it. */
type Right =
  | Of<'queues' | 'topics', 'get_all' | 'create' | 'get' | 'delete' | 'update' | 'stats' | 'purge'>
  | Of<'queues', 'share'>
  | Of<'messages', 'get_all' | 'create' | 'delete' | 'delete_all' | 'redrive'>
  | Of<'claims', 'get_all' | 'create' | 'get' | 'update' | 'delete'>
  | Of<'subscription', 'get_all' | 'create' | 'get' | 'update' | 'delete' | 'confirm'>
  | Of<'pools' | 'flavors', 'get_all' | 'create' | 'update' | 'delete'>
  | Of<'pools', 'drain'>
  | Of<'health', 'get'>

/** What somebody may do. The service judges each request anyway: this says which pages are worth showing. */
export type May = (right: Right) => boolean

export function mayWhatPolicyLets(permissions: readonly string[]): May {
  const granted = new Set(permissions)
  return (right) => granted.has(right)
}

/** What a signed URL has to cover for a right; it covers no others. */
const SIGNED: Partial<Record<Right, readonly [method: string, path: string]>> = {
  'messages:get_all': ['GET', 'messages'],
  'messages:create': ['POST', 'messages'],
  'messages:delete': ['DELETE', 'messages'],
  'messages:delete_all': ['DELETE', 'messages'],
  'claims:create': ['POST', 'claims'],
  'claims:get': ['GET', 'claims'],
  'claims:get_all': ['GET', 'claims'],
  'claims:update': ['PATCH', 'claims'],
  'claims:delete': ['DELETE', 'claims'],
  'subscription:get_all': ['GET', 'subscriptions'],
  'subscription:get': ['GET', 'subscriptions'],
  'subscription:create': ['POST', 'subscriptions'],
  'subscription:update': ['PATCH', 'subscriptions'],
  'subscription:delete': ['DELETE', 'subscriptions'],
  'subscription:confirm': ['PUT', 'subscriptions'],
}

export function mayWhatIsSigned({ methods, paths }: SignedUrl): May {
  return (right) => {
    const [method, path] = SIGNED[right] ?? []
    return method !== undefined && methods.includes(method) && paths.some((one) => one.endsWith(`/${path}`))
  }
}
