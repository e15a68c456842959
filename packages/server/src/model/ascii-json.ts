/** The same JSON as upstream prints it: all that is not ASCII, and the character DEL, escaped. */
export function asciiJson(text: string): string {
  if (!/[\u007f-\uffff]/.test(text)) return text
  // By hand, since replacing each character takes five times as long.
  const ascii = Buffer.allocUnsafe(6 * text.length)
  let end = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < DELETE) {
      ascii[end++] = code
      continue
    }
    ascii[end++] = BACKSLASH
    ascii[end++] = SMALL_U
    for (const shift of [12, 8, 4, 0]) ascii[end++] = HEX_DIGITS[(code >> shift) & 15] as number
  }
  return ascii.toString('latin1', 0, end)
}

const [BACKSLASH, SMALL_U, DELETE] = [0x5c, 0x75, 0x7f]
const HEX_DIGITS = Buffer.from('0123456789abcdef')
