import { type Answer, type Channel, failure, type Mail } from '../channel.ts'
import { type OutgoingMail, outgoingMail } from './outgoing-mail.ts'
import { createSendmail } from './sendmail.ts'
import { createSmtp, type SmtpServer } from './smtp.ts'

export interface MailOptions {
  readonly carrier: { readonly command: string } | SmtpServer
  /** How long a try may take, waiting for its turn included. */
  readonly timeoutSeconds: number
  /** How many connections or commands there may be at once. */
  readonly atOnce: number
}

/** What takes mail away from here. */
export interface Carrier {
  /** Says itself why it failed, save where the signal ended it. */
  send(mail: OutgoingMail, signal: AbortSignal): Promise<Answer>
  close(): void
}

/**
 * Mail by a command or over SMTP (contract, notifications.md 6). A mail whose headers could be taken for others, or whose
 * receivers are not plain addresses, fails without being sent. `answer` is what the server said, or the command on its
 * standard error stream; it may name machines of the operator.
 */
export function createMailChannel({ carrier: way, timeoutSeconds, atOnce }: MailOptions): Channel<Mail> {
  const carrier: Carrier =
    'command' in way ? createSendmail(way.command, atOnce) : createSmtp(way, timeoutSeconds, atOnce)
  const closing = new AbortController()
  return {
    async send(mail, signal) {
      const outgoing = outgoingMail(mail)
      if ('refused' in outgoing) return failure(outgoing.refused)
      const limit = AbortSignal.timeout(timeoutSeconds * 1000)
      const answer = await carrier.send(outgoing, AbortSignal.any([signal, limit, closing.signal]))
      if (answer.result === 'delivered') return answer
      if (signal.aborted || closing.signal.aborted) return failure('the try was ended before the mail was accepted')
      return limit.aborted ? failure(`the mail was not accepted within ${timeoutSeconds} seconds`) : answer
    },
    async close() {
      closing.abort()
      carrier.close()
    },
  }
}
