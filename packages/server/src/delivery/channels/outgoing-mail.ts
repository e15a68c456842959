import type { Mail } from '../channel.ts'

/** A mail as nodemailer takes it: nothing in it can be read as a header or an address that was not meant. */
export interface OutgoingMail {
  readonly from: Address
  readonly to: Address[]
  readonly cc: Address[]
  readonly bcc: Address[]
  readonly subject: string
  readonly text: string
  readonly headers: Record<string, string>
  readonly xMailer: false
}

interface Address {
  readonly name: string
  readonly address: string
}

const MAX_RECEIVERS = 20
const MAX_ADDRESS_LENGTH = 254
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]/u

/**
 * What is left of RFC 5321 and 6531 without quoted names, comments and numeric hosts: nobody's address needs them, and
 * programs on the way read them differently. A leading `-` would be an option where an address becomes an argument.
 */
const PLAIN = /^(?!-)[\p{L}\p{M}\p{N}.!#$%&'*+/=?^_`{|}~-]+@[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}.-]*[\p{L}\p{M}\p{N}])?$/u

/** Answers no other robots, and tells them to do likewise (RFC 3834). */
const headers = { 'Auto-Submitted': 'auto-generated' }

/** `refused` says why the mail must not be sent. */
export function outgoingMail(mail: Mail): OutgoingMail | { readonly refused: string } {
  const { subject, text } = mail
  const withControl = (['from', 'to', 'cc', 'bcc', 'subject'] as const).find((field) => CONTROL.test(mail[field] ?? ''))
  if (withControl !== undefined) return { refused: `the field ${withControl} has a line break or a control character` }

  const from = senderOf(mail.from)
  if (from === null) return { refused: 'the field from is not an address' }

  const [to, cc, bcc] = [mail.to, mail.cc, mail.bcc].map(receiversOf)
  if (!to || !cc || !bcc) return { refused: 'a receiver is not an address' }
  const count = to.length + cc.length + bcc.length
  if (count === 0) return { refused: 'there is no receiver' }
  if (count > MAX_RECEIVERS) return { refused: `there are ${count} receivers, and ${MAX_RECEIVERS} are allowed` }

  return { from, to, cc, bcc, subject, text, headers, xMailer: false }
}

/** `name <address>` or the address alone; null where it is neither. */
function senderOf(text: string): Address | null {
  const [, name, inBrackets] = /^([^<>]*)<([^<>]*)>$/.exec(text.trim()) ?? []
  const address = (inBrackets ?? text).trim()
  return isAddress(address) ? { name: (name ?? '').trim().replace(/^"(.*)"$/, '$1'), address } : null
}

/** Null where one is not an address. */
function receiversOf(list: string | null): Address[] | null {
  const addresses = (list ?? '')
    .split(',')
    .map((address) => address.trim())
    .filter((address) => address !== '')
  return addresses.every(isAddress) ? addresses.map((address) => ({ name: '', address })) : null
}

function isAddress(text: string): boolean {
  return text.length <= MAX_ADDRESS_LENGTH && PLAIN.test(text)
}
