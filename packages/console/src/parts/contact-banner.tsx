import { useEffect, useState } from 'preact/hooks'
import { ASK_AGAIN, noteContact, useContact } from '../contact.ts'
import type { Session } from '../session.ts'
import { text } from '../text.ts'

/** Says that the service is away, and asks until it is back; or that the sign-in has ended, and leads to another one. */
export function ContactBanner({ session, signInAgain }: { session: Session; signInAgain(): void }) {
  const asked = useContact()
  const contact = useIsOver(session.endsAt) ? 'ended' : asked
  useEffect(() => {
    if (contact !== 'away') return
    const timer = setInterval(() => {
      // Whatever is answered, there is somebody.
      void session.zaqar.ping({ timeout: ASK_AGAIN }).then(
        (answers) => answers && noteContact(null),
        (error) => noteContact(error),
      )
    }, ASK_AGAIN * 1000)
    return () => clearInterval(timer)
  }, [contact, session])
  if (contact === 'good') return null
  return (
    <div class="trouble bar" role="alert">
      <span>{contact === 'away' ? text.contact.away : text.contact.ended}</span>
      {contact === 'ended' && (
        <button type="button" onClick={signInAgain}>
          {text.contact.again}
        </button>
      )}
    </div>
  )
}

/** A timer of browsers runs no longer, in milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1

function useIsOver(endsAt: number | null): boolean {
  const [now, setNow] = useState(Date.now)
  const left = endsAt === null ? null : endsAt - now
  useEffect(() => {
    if (left === null || left <= 0) return
    const timer = setTimeout(() => setNow(Date.now()), Math.min(left, LONGEST_TIMER))
    return () => clearTimeout(timer)
  }, [left])
  return left !== null && left <= 0
}
