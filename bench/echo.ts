/**
 * The yardstick: the least that a `node:http` server can do for the same requests. It reads the body, parses it, and
 * prints an answer of the same size as the service's. The parent sends the answers over IPC, one for each method.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface EchoAnswer {
  readonly method: string
  readonly status: number
  /** JSON text, empty for none. */
  readonly body: string
}

const answers = new Map<string, { status: number; document: unknown }>()

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const [first] = chunks
    if (first !== undefined) JSON.parse((chunks.length === 1 ? first : Buffer.concat(chunks)).toString())
    const answer = answers.get(request.method ?? '')
    if (answer === undefined) return response.writeHead(405).end()
    if (answer.document === undefined) return response.writeHead(answer.status).end()
    const text = JSON.stringify(answer.document)
    const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }
    return response.writeHead(answer.status, headers).end(text)
  })
})

process.on('message', (given: EchoAnswer[]) => {
  for (const { method, status, body } of given) {
    answers.set(method, { status, document: body === '' ? undefined : JSON.parse(body) })
  }
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
})
process.on('disconnect', () => process.exit())
