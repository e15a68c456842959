import Negotiator from 'negotiator'
import { printJson } from '../model/json.ts'
import type { WireError } from '../wire/wire-error.ts'
import type { HttpResponse } from './messages.ts'

const JSON_TYPE = 'application/json'

/** Characters. A longer header is not looked at: RFC 9110 lets a server answer as if it were not there. */
const LONGEST_ACCEPT = 1_000

/** Whether a client takes what this service makes. Absent or empty means everything. (contract http.md 1.6) */
export function acceptsJson(accept: string | undefined): boolean {
  if (accept === undefined || accept === '' || accept === '*/*' || accept === JSON_TYPE) return true
  if (accept.length > LONGEST_ACCEPT) return true
  // Parameters of a range other than q say more than this service could.
  const ranges = accept.replace(/;(?!\s*q\s*=)[^;,]*/gi, '')
  return new Negotiator({ headers: { accept: ranges } }).mediaType([JSON_TYPE]) !== undefined
}

/** JSON where the client takes it, XML where it takes only that, else nothing. (contract http.md 1.9) */
export function errorResponse(error: WireError, accept: string | undefined): HttpResponse {
  const { status, headers } = error
  const form = formOf(accept)
  if (form === null) return { status, headers: { ...headers, 'Content-Type': JSON_TYPE }, body: '' }
  const body = form === JSON_TYPE ? asJson(error) : asXml(error)
  return { status, headers: { ...headers, 'Content-Type': form, Vary: 'Accept' }, body }
}

function formOf(accept: string | undefined): typeof JSON_TYPE | 'application/xml' | null {
  if (acceptsJson(accept) || accept?.includes('+json')) return JSON_TYPE
  const takesXml = new Negotiator({ headers: { accept } }).mediaType(['application/xml', 'text/xml']) !== undefined
  return takesXml ? 'application/xml' : null
}

function asJson({ status, title, description }: WireError): string {
  return printJson({
    title,
    ...(description === undefined ? {} : { description }),
    ...(status === 406 ? { link: ACCEPT_HELP } : {}),
  })
}

const ACCEPT_HELP = {
  text: 'HTTP/1.1 Accept',
  href: 'https://www.rfc-editor.org/rfc/rfc9110#name-accept',
  rel: 'help',
}

function asXml({ title, description }: WireError): string {
  const more = description === undefined ? '' : `<description>${escapeXml(description)}</description>`
  return `<?xml version="1.0" encoding="UTF-8"?><error><title>${escapeXml(title)}</title>${more}</error>`
}

function escapeXml(text: string): string {
  return (
    text
      // XML has no way to write most control characters.
      .replace(/[^\t\n\r -\ud7ff\ue000-\ufffd]/g, '\ufffd')
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
  )
}
