import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'

/** A mail as it came in. */
interface ReceivedMail {
  readonly from: string
  readonly to: readonly string[]
  /** Who logged in. */
  readonly user: string | null
  readonly isSecure: boolean
  /** Header lines unfolded, one a name. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
  readonly raw: string
}

export interface MailServer {
  readonly port: number
  readonly received: readonly ReceivedMail[]
  /** How many connections there were. */
  connections(): number
}

/** Listens until the test is over. */
export async function startMailServer(
  t: TestContext,
  options: SMTPServerOptions = {},
  host = '127.0.0.1',
): Promise<MailServer> {
  const received: ReceivedMail[] = []
  let connections = 0
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    closeTimeout: 1,
    onConnect(_session, done) {
      connections += 1
      done()
    },
    onData(stream, session, done) {
      text(stream).then((raw) => {
        const { mailFrom, rcptTo } = session.envelope
        const from = mailFrom === false ? '' : mailFrom.address
        const to = rcptTo.map(({ address }) => address)
        received.push({ from, to, user: session.user ?? null, isSecure: session.secure, raw, ...parsed(raw) })
        done()
      }, done)
    },
    ...options,
  })
  // What clients do wrong is theirs.
  server.on('error', () => undefined)
  const listening = server.listen(0, host)
  await once(listening, 'listening')
  t.after(() => new Promise<void>((resolve) => server.close(resolve)))
  return { port: (listening.address() as AddressInfo).port, received, connections: () => connections }
}

function parsed(raw: string): Pick<ReceivedMail, 'headers' | 'body'> {
  const [head = '', rest = ''] = raw.split(/\r?\n\r?\n(.*)/s)
  const headers = new Map<string, string>()
  for (const line of head.replace(/\r?\n(?=[ \t])/g, '').split(/\r?\n/)) {
    const [name = '', value = ''] = line.split(/: ?(.*)/s)
    if (headers.has(name.toLowerCase())) throw new Error(`The header ${name} is there twice`)
    headers.set(name.toLowerCase(), value)
  }
  const encoding = headers.get('content-transfer-encoding')
  return { headers, body: (encoding === 'quoted-printable' ? unquoted(rest) : rest).replace(/\r?\n$/, '') }
}

function unquoted(body: string): string {
  const bytes = body
    .replace(/=\r?\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString()
}
