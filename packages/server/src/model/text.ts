/** Whether every engine keeps the text as it is: not every one can hold NUL, or half a surrogate pair. */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed()
}
