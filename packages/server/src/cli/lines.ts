/** Reads text line by line. */

/** A longer line is none of messages. In characters. */
const LONGEST = 16_777_216

/** Lines without their ends. @throws Error when it is no UTF-8, or a line is too long */
export async function* linesOf(chunks: AsyncIterable<Uint8Array | string>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let rest = ''
  for await (const chunk of chunks) {
    const lines = (rest + decode(chunk)).split('\n')
    rest = lines.pop() as string
    for (const line of lines) yield withoutReturn(line)
    if (rest.length > LONGEST) throw new Error(`a line is longer than ${LONGEST} characters`)
  }
  rest += decode(null)
  if (rest !== '') yield withoutReturn(rest)

  function decode(chunk: Uint8Array | string | null): string {
    try {
      if (chunk === null) return decoder.decode()
      return typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })
    } catch {
      throw new Error('this is no text in UTF-8')
    }
  }
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line
}
