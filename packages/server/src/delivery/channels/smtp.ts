import { createTransport, type NodemailerError } from 'nodemailer'
import { type Answer, failure } from '../channel.ts'
import type { Carrier } from './mail.ts'

export interface SmtpServer {
  readonly host: string
  /** Null: the usual one. */
  readonly port: number | null
  /** `starttls` is demanded, not merely tried. */
  readonly security: 'tls' | 'starttls' | 'none'
  readonly login: { readonly user: string; readonly password: string } | null
  /** Certificates in PEM that sign that of the server; null: the usual authorities. */
  readonly ca: string | null
}

const USUAL_PORTS = { tls: 465, starttls: 587, none: 25 }
const ANSWER_LENGTH = 500

export function createSmtp(server: SmtpServer, timeoutSeconds: number, atOnce: number): Carrier {
  const { host, port, security, login, ca } = server
  // A try ends before these do; an idle connection ends with them.
  const patience = timeoutSeconds * 2000
  const transport = createTransport({
    pool: true,
    maxConnections: atOnce,
    // A connection that the server has ended while it was idle is replaced once. All else is tried again by the feed.
    maxRequeues: 1,
    host,
    port: port ?? USUAL_PORTS[security],
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    tls: { minVersion: 'TLSv1.2', ...(ca === null ? {} : { ca }) },
    ...(login === null ? {} : { auth: { user: login.user, pass: login.password }, forceAuth: true }),
    dnsTimeout: patience,
    connectionTimeout: patience,
    greetingTimeout: patience,
    socketTimeout: patience,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  return {
    async send(mail, signal) {
      try {
        const { rejectedErrors = [] } = await transport.sendMail({ ...mail, signal })
        return partly(rejectedErrors)
      } catch (error) {
        return failureOf(error as NodemailerError)
      }
    },
    close() {
      transport.close({ force: true })
    },
  }
}

/**
 * Some receivers were accepted. Whom the server may accept later gets another try, at the price that the others have the
 * mail twice; whom it never will accept is not worth that.
 */
function partly(refusals: readonly NodemailerError[]): Answer {
  const temporary = refusals.find(({ responseCode }) => responseCode !== undefined && responseCode < 500)
  if (temporary !== undefined) return failureOf(temporary)
  return { result: 'delivered', status: null, reason: null, answer: responseOf(refusals[0]), retryAfterSeconds: null }
}

function failureOf(error: NodemailerError): Answer {
  return failure(reasonOf(error), responseOf(error))
}

/** The messages of the errors themselves name addresses of ours. */
function reasonOf({ code, originalCode, responseCode, command }: NodemailerError): string {
  if (code === 'EAUTH' || code === 'ENOAUTH') return 'the mail server refused the login'
  if (responseCode !== undefined) return `the mail server answered ${responseCode}${command ? ` to ${command}` : ''}`
  switch (code) {
    case 'EDNS':
      return 'the name of the mail server could not be resolved'
    case 'ECONNECTION':
      return 'the mail server ended the connection'
    case 'ETLS':
      return `the connection to the mail server could not be secured${originalCode ? ` (${originalCode})` : ''}`
    case 'ESOCKET':
      return `there is no connection to the mail server${originalCode ? ` (${originalCode})` : ''}`
    default:
      return 'the mail server cannot take this mail'
  }
}

/** What is said about a login may repeat the name. */
function responseOf(error: NodemailerError | undefined): string | null {
  if (error?.response === undefined || error.code === 'EAUTH') return null
  return error.response.slice(0, ANSWER_LENGTH)
}
