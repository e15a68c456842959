/** The lines of a file, read as they are asked for, with their numbers. */
export async function* linesOf(file: Blob): AsyncGenerator<{ readonly number: number; readonly line: string }> {
  const reader = file.stream().pipeThrough(new TextDecoderStream()).getReader()
  let number = 0
  let rest = ''
  for (;;) {
    const { done, value = '' } = await reader.read()
    const lines = `${rest}${value}`.split('\n')
    rest = done ? '' : (lines.pop() ?? '')
    for (const line of lines) yield { number: ++number, line }
    if (done) return
  }
}
