/** The right-hand side of a check: text in which `%(name)s` stands for an attribute of the target. */
export type Template = readonly (string | { readonly attribute: string })[]

/** What an operation is done to: values by name. */
export type Target = Readonly<Record<string, string>>

/** @throws PolicyProblem */
export function parseTemplate(text: string): Template {
  const parts: (string | { attribute: string })[] = []
  for (const [part, attribute] of text.matchAll(/%\(([^)%]*)\)s|%%|[^%]+|%/g)) {
    if (attribute !== undefined) parts.push({ attribute })
    else if (part === '%%') parts.push('%')
    else if (part === '%')
      throw new PolicyProblem(`"${text}": after % comes (name)s, and a per cent sign is written %%`)
    else parts.push(part)
  }
  return parts
}

/** Null when the target lacks what the template names; the check then fails. */
export function fillTemplate(template: Template, target: Target): string | null {
  let text = ''
  for (const part of template) {
    const value = typeof part === 'string' ? part : target[part.attribute]
    if (value === undefined) return null
    text += value
  }
  return text
}

export function printTemplate(template: Template): string {
  return template
    .map((part) => (typeof part === 'string' ? part.replaceAll('%', '%%') : `%(${part.attribute})s`))
    .join('')
}

/** What is wrong with a rule, in a sentence without its place. */
export class PolicyProblem extends Error {
  override readonly name = 'PolicyProblem'
}
