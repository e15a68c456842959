import { type Answer, type Channel, failure, type Mail } from '../channel.ts'
import { type OutgoingMail, outgoingMail } from './outgoing-mail.ts'
import type { SmtpServer } from './smtp.ts'

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
  // Loaded with the first mail: most services send none, and all start sooner.
  const open = async (): Promise<Carrier> =>
    'command' in way
      ? (await import('./sendmail.ts')).createSendmail(way.command, atOnce)
      : (await import('./smtp.ts')).createSmtp(way, timeoutSeconds, atOnce)
  let carrier: Promise<Carrier> | null = null
  const closing = new AbortController()
  return {
    async send(mail, signal) {
      const outgoing = outgoingMail(mail)
      if ('refused' in outgoing) return failure(outgoing.refused)
      const limit = AbortSignal.timeout(timeoutSeconds * 1000)
      carrier ??= open()
      const answer = await (await carrier).send(outgoing, AbortSignal.any([signal, limit, closing.signal]))
      if (answer.result === 'delivered') return answer
      if (signal.aborted || closing.signal.aborted) return failure('the try was ended before the mail was accepted')
      return limit.aborted ? failure(`the mail was not accepted within ${timeoutSeconds} seconds`) : answer
    },
    async close() {
      closing.abort()
      const opened = await carrier
      opened?.close()
    },
  }
}
