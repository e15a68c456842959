import { Agent, request } from 'node:http'
import type { Send } from '../../packages/server/test/support/test-client.ts'

/** Sends requests to a service on this machine over kept connections. */
export function sendOverHttp(url: string): Send & { close(): void } {
  const agent = new Agent({ keepAlive: true })
  const { hostname, port } = new URL(url)
  const send: Send = ({ method, target, headers, body }) =>
    new Promise((resolve, reject) => {
      const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }
      const sent = request({ agent, hostname, port, method, path: target, headers: { ...headers, ...length } })
      sent.on('error', reject)
      sent.on('response', (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const { statusCode: status = 0, headers } = response
          resolve({ status, headers: headers as Record<string, string>, text: Buffer.concat(chunks).toString() })
        })
      })
      sent.end(body)
    })
  return Object.assign(send, { close: () => agent.destroy() })
}
