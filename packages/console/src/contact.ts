import { useEffect, useState } from 'preact/hooks'
import { Unauthenticated, ZaqarError } from 'zaqar-client'

/** How the page stands with the service: it answers, it does not, or it takes the credentials no longer. */
type Contact = 'good' | 'away' | 'ended'

/** Until what nobody answered is asked again, in seconds. */
export const ASK_AGAIN = 2

let contact: Contact = 'good'
const watchers = new Set<(contact: Contact) => void>()

/** For a new session. */
export function resetContact(): void {
  set('good')
}

/** Somebody asked: `error` is what came of it, null where it was answered. What has ended stays so. */
export function noteContact(error: unknown): void {
  if (contact === 'ended') return
  if (error instanceof Unauthenticated) set('ended')
  else set(isLost(error) ? 'away' : 'good')
}

/** Whether the banner tells people of it: nothing is wrong with what was asked. */
export function isOfContact(error: unknown): boolean {
  return isLost(error) || error instanceof Unauthenticated
}

/** Whether there was no answer of the service: none at all, or that of a proxy in front of it, or one that it cannot give now. */
export function isLost(error: unknown): boolean {
  if (!(error instanceof ZaqarError)) return false
  return ['unreachable', 'timeout', 'unavailable'].includes(error.code) || error.status === 502 || error.status === 504
}

export function useContact(): Contact {
  const [seen, see] = useState(contact)
  useEffect(() => {
    see(contact)
    watchers.add(see)
    return () => void watchers.delete(see)
  }, [])
  return seen
}

function set(next: Contact): void {
  if (next === contact) return
  // Who follows messages waits for the next try no longer, as when the machine is online again.
  if (contact === 'away') dispatchEvent(new Event('online'))
  contact = next
  for (const watcher of watchers) watcher(next)
}
