import { postMessages } from '../../core/operations/messages/post-messages.ts'
import { told } from '../older.ts'

/** Size and ttl were those of the house, and nothing was ever delayed. (contract http.md 3.7.2, 6.7) */
export const postsDidNotHeedTheQueue = told(postMessages, { heedsQueueSettings: false })
