import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import type { RequestBody } from '../wire/door.ts'

const NONE: RequestBody = { bytes: null, text: '' }
const EMPTY: RequestBody = { bytes: 0, text: '' }

/**
 * Reads a body of at most `maxBytes`. A longer one is not kept; `bytes` then says how long it is, or that it is longer.
 * @throws when the client goes away before the end
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<RequestBody> {
  const declared = request.headers['content-length']
  if (declared === undefined && request.headers['transfer-encoding'] === undefined) return NONE
  if (declared === '0') return EMPTY
  if (Number(declared) > maxBytes) return tooLong(request, Number(declared))
  const chunks: Buffer[] = []
  let bytes = 0
  return new Promise((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= maxBytes) chunks.push(chunk)
      else {
        chunks.length = 0
        resolve(tooLong(request, bytes))
      }
    })
    request.on('end', () => resolve(toBody(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks))))
    request.on('error', reject)
    request.on('close', () => reject(new Error('the client went away')))
  })
}

function toBody(content: Buffer): RequestBody {
  return { bytes: content.length, text: isUtf8(content) ? content.toString('utf8') : null }
}

function tooLong(request: IncomingMessage, bytes: number): RequestBody {
  request.removeAllListeners('data')
  request.pause()
  return { bytes, text: null }
}
