/**
 * oslo.config's references inside of values: `$other` (an option of the same group or of `[DEFAULT]`),
 * `${group.other}`, and `$$` or `\$` for a dollar sign. Any other dollar sign stands for itself.
 */
export function substitute(text: string, lookUp: (reference: string) => string): string {
  return text
    .replaceAll('\\$', '$$$$')
    .replaceAll(
      /\$(?:(\$)|([_a-z][._a-z0-9]*)|\{([_a-z][._a-z0-9]*)\})/gi,
      (_, dollar: string | undefined, plain: string | undefined, braced: string | undefined) =>
        dollar ?? lookUp(plain ?? braced ?? ''),
    )
}

/** Whether what it means depends on other options. */
export function hasReferences(text: string): boolean {
  let has = false
  substitute(text, () => {
    has = true
    return ''
  })
  return has
}
