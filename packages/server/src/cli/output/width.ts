/** How many columns of a terminal text takes. */
import { eastAsianWidth } from 'get-east-asian-width'

const graphemes = new Intl.Segmenter()
/** What is drawn over the character before it, or not at all. */
const MARKS = /^[\p{Mn}\p{Me}\p{Cf}]+$/u
const EMOJI = /\p{Emoji_Presentation}|\ufe0f/u

/** Of printable text. */
export function widthOf(text: string): number {
  let width = 0
  for (const { segment } of graphemes.segment(text)) width += widthOfGrapheme(segment)
  return width
}

/** Text that takes `width` columns at the most, which are at least 1: where it is longer, it ends in an ellipsis. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  let kept = ''
  let left = width - 1
  for (const { segment } of graphemes.segment(text)) {
    left -= widthOfGrapheme(segment)
    if (left < 0) break
    kept += segment
  }
  return `${kept}…`
}

function widthOfGrapheme(grapheme: string): number {
  if (MARKS.test(grapheme)) return 0
  return EMOJI.test(grapheme) ? 2 : eastAsianWidth(grapheme.codePointAt(0) as number)
}
