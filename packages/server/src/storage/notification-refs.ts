/** Before the number of an announcement: one that is owed no more must not be taken for a message. */
const ANNOUNCEMENT = 'a'

/** The ref of a notification, by its number in the queue: the same in each engine, since a lease goes on over a move of its queue. */
export function refOf(number: number, content: 'message' | 'announcement'): string {
  return content === 'message' ? String(number) : `${ANNOUNCEMENT}${number}`
}

/** Of a ref that was handed out. Null where it was not. */
export function parseRef(ref: string): { readonly number: number; readonly isAnnouncement: boolean } | null {
  const isAnnouncement = ref.startsWith(ANNOUNCEMENT)
  const digits = isAnnouncement ? ref.slice(ANNOUNCEMENT.length) : ref
  return /^[0-9]{1,15}$/.test(digits) ? { number: Number(digits), isAnnouncement } : null
}
