import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import type { RequestBody } from '../wire/door.ts'

const NONE: RequestBody = { bytes: null, text: '' }
const EMPTY: RequestBody = { bytes: 0, text: '' }

/**
 * How much of a body that is too long is read and thrown away. A client that writes the whole body before it reads would
 * otherwise meet a reset connection instead of the answer that says what is wrong.
 */
const DISCARDED_BYTES = 64 * 1024 * 1024

/** What `bytes` says of a body that the client has announced as too long and holds back until it is told to go on. */
export function unreadBody(bytes: number): RequestBody {
  return { bytes, text: null }
}

/**
 * Reads a body of at most `maxBytes`. A longer one is not kept; `bytes` then says how long it is, or that it is longer.
 * @throws when the client goes away before the end
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<RequestBody> {
  const declared = request.headers['content-length']
  if (declared === undefined && request.headers['transfer-encoding'] === undefined) return NONE
  if (declared === '0') return EMPTY
  if (Number(declared) > maxBytes + DISCARDED_BYTES) return unreadBody(Number(declared))
  const chunks: Buffer[] = []
  let bytes = 0
  return new Promise((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= maxBytes) chunks.push(chunk)
      else chunks.length = 0
      if (bytes > maxBytes + DISCARDED_BYTES) {
        request.pause()
        resolve(unreadBody(bytes))
      }
    })
    request.on('end', () => resolve(bytes > maxBytes ? unreadBody(bytes) : toBody(chunks)))
    request.on('error', reject)
    // Comes behind every body; an error object is not made for nothing.
    request.on('close', () => request.complete || reject(new Error('the client went away')))
  })
}

function toBody(chunks: readonly Buffer[]): RequestBody {
  const content = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)
  return { bytes: content.length, text: isUtf8(content) ? content.toString('utf8') : null }
}
