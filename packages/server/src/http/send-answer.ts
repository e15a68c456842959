import { type Exchange, FREE_BYTES } from './connection.ts'
import type { HttpResponse, WholeResponse } from './messages.ts'

/** `isLast`: the connection ends behind this answer. */
export function sendAnswer(
  exchange: Exchange,
  id: string,
  answer: WholeResponse,
  { isLast }: { isLast: boolean },
): void {
  const { request, response } = exchange
  const { status, body } = answer
  const isLong = typeof body === 'string' && body.length > FREE_BYTES
  const content = isLong ? Buffer.from(body) : body
  const fields = headOf(id, answer)
  if (content !== undefined) fields.push('content-length', String(Buffer.byteLength(content)))
  if (isLast) fields.push('connection', 'close')
  response.writeHead(status, fields)
  if (request.method === 'HEAD') response.end()
  else if (isLong) void exchange.write(content as Buffer).then(() => response.end())
  else response.end(content)
}

/** Names and values in turn. */
export function headOf(id: string, { headers }: HttpResponse): string[] {
  const fields: string[] = ['x-openstack-request-id', id]
  // In lower case, as upstream sends them.
  for (const name in headers) fields.push(name.toLowerCase(), headers[name] as string)
  return fields
}
