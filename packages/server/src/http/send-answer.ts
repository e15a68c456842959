import type { ServerResponse } from 'node:http'
import { type Exchange, FREE_BYTES } from './connection.ts'
import type { HttpResponse } from './messages.ts'

/** A long answer is handed to the system in pieces of so many bytes, so that it can be seen whether it is taken. */
const PIECE_BYTES = 64 * 1024

/** `isLast`: the connection ends behind this answer. */
export function sendAnswer(
  exchange: Exchange,
  id: string,
  answer: HttpResponse,
  { isLast }: { isLast: boolean },
): void {
  const { request, response } = exchange
  const { status, headers, body } = answer
  const isLong = typeof body === 'string' && body.length > FREE_BYTES
  const content = isLong ? Buffer.from(body) : body
  const fields: string[] = ['x-openstack-request-id', id]
  // In lower case, as upstream sends them.
  for (const name in headers) fields.push(name.toLowerCase(), headers[name] as string)
  if (content !== undefined) fields.push('content-length', String(Buffer.byteLength(content)))
  if (isLast) fields.push('connection', 'close')
  response.writeHead(status, fields)
  if (request.method === 'HEAD') response.end()
  else if (isLong) sendInPieces(response, content as Buffer, exchange)
  else response.end(content)
}

/** What a slow reader does not take is counted, and taken away from one who takes nothing. */
function sendInPieces(response: ServerResponse, content: Buffer, exchange: Exchange): void {
  const holding = exchange.charge(content.length)
  let sent = 0
  const send = () => {
    while (content.length - sent > PIECE_BYTES) {
      const piece = content.subarray(sent, sent + PIECE_BYTES)
      sent += PIECE_BYTES
      if (!response.write(piece)) {
        holding.progress(content.length - sent + PIECE_BYTES)
        return void response.once('drain', send)
      }
    }
    response.end(content.subarray(sent))
    holding.progress(content.length - sent)
  }
  send()
}
