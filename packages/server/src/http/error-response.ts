import Negotiator from 'negotiator'
import { printJson } from '../model/json.ts'
import type { WireError } from '../wire/wire-error.ts'
import { acceptsJson, JSON_TYPE, prefersEvents } from './accept.ts'
import type { HttpResponse } from './messages.ts'

/**
 * JSON where the client takes it or asks for events, XML where it takes only that, else nothing. (contract http.md 1.9)
 */
export function errorResponse(error: WireError, accept: string | undefined): HttpResponse {
  const { status, headers } = error
  const form = formOf(accept)
  if (form === null) return { status, headers: { ...headers, 'Content-Type': JSON_TYPE }, body: '' }
  const body = form === JSON_TYPE ? asJson(error) : asXml(error)
  return { status, headers: { ...headers, 'Content-Type': form, Vary: 'Accept' }, body }
}

function formOf(accept: string | undefined): typeof JSON_TYPE | 'application/xml' | null {
  if (acceptsJson(accept) || accept?.includes('+json') || prefersEvents(accept)) return JSON_TYPE
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
