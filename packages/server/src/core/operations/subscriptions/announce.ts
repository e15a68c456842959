import type { QueueKey } from '../../../model/model.ts'
import type { Context } from '../../execute.ts'
import { type Announcement, printAnnouncement } from '../../rules/announcement.ts'

/**
 * Owes the subscription an announcement. Without a key nobody could answer it: the operator is told then instead.
 * (contract notifications.md 5)
 */
export async function announce(
  key: QueueKey,
  id: string,
  announcement: Announcement,
  { now, storage, queues, urlSigner, report }: Context,
): Promise<void> {
  if (urlSigner === null) {
    report(new Error('[signed_url] secret_key is not set, so no subscriber can be asked to confirm a subscription'))
    return
  }
  const text = printAnnouncement(announcement)
  await queues.use(key, now, (queue) => storage.deliveries.announce({ queue, id, text, now }))
}
