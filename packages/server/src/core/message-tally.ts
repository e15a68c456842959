import type { Claim } from '../model/model.ts'

/** What was done with messages in this process so far, whichever way it was asked for. */
export class MessageTally {
  posted = 0
  /** Claims that were made, also to be pushed; and messages that they held. */
  claims = 0
  claimed = 0
  popped = 0

  countClaim({ messages }: Pick<Claim, 'messages'>): void {
    this.claims += 1
    this.claimed += messages.length
  }
}
