import type { Dispatcher } from 'undici'

/** What a receiver answered. */
export interface Reply {
  readonly status: number
  /** The header of that name (in lower case), if it is there once. */
  header(name: string): string | null
  /** The beginning of the body. */
  readonly text: string
}

/** What is kept of an answer, in bytes. */
const KEPT_BYTES = 1024
/** What is read of it, so that the connection can be used again. A longer one costs the connection. */
const READ_BYTES = 65_536

/**
 * Sends one request and reads the answer. The status decides as soon as it is there: an answer that breaks off, goes on
 * without end, or is cut by the signal afterwards is one all the same.
 * @throws the error of undici or of the system; the reason of the signal
 */
export async function exchange(
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions,
  signal: AbortSignal,
): Promise<Reply> {
  signal.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<Reply>()
  const chunks: Buffer[] = []
  let controller: Dispatcher.DispatchController | null = null
  let head: Pick<Reply, 'status' | 'header'> | null = null
  let bytes = 0

  const end = (error: unknown) => {
    signal.removeEventListener('abort', abort)
    if (head === null) reject(error)
    else resolve({ ...head, text: textOf(chunks) })
  }
  const cut = (reason: Error) => {
    end(reason)
    controller?.abort(reason)
  }
  const abort = () => cut(signal.reason)
  signal.addEventListener('abort', abort)

  dispatcher.dispatch(request, {
    onRequestStart(started) {
      controller = started
      // It had to wait for a connection.
      if (signal.aborted) started.abort(signal.reason)
    },
    onResponseStart(_, status, headers) {
      // 1xx only announce the answer.
      if (status >= 200) head = { status, header: (name) => single(headers[name]) }
    },
    onResponseData(_, chunk) {
      const left = KEPT_BYTES - bytes
      if (left > 0) chunks.push(chunk.subarray(0, left))
      bytes += chunk.length
      if (bytes > READ_BYTES) cut(new Error('the answer is too long'))
    },
    onResponseEnd: () => end(null),
    onResponseError: (_, error) => end(error),
  })
  return promise
}

function single(value: string | string[] | undefined): string | null {
  return typeof value === 'string' ? value : null
}

/** A character that was cut in two is left out. PostgreSQL keeps no NUL. */
function textOf(chunks: readonly Buffer[]): string {
  return new TextDecoder().decode(Buffer.concat(chunks), { stream: true }).replaceAll('\0', '\ufffd')
}
