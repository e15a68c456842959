import type { Kind } from './kinds.ts'

/** A mail for confirmation. What its fields mean: contract, notifications.md 6. */
export interface MailTemplate {
  readonly topic: string
  readonly body: string
  readonly sender: string
}

/** A pair, its value in quotes or up to a comma, and what follows it. */
const PAIR = /([^:,]*):(?:\s*"([^"]*)"\s*|\s*'([^']*)'\s*|([^,]*))(?:,|$)/y

/** A dictionary of oslo.config. Other keys are ignored, as upstream ignores them. */
export const mailTemplate: Kind<MailTemplate> = {
  allowed:
    'topic:..., body:... and sender:... with commas between them; a text with commas stands in quotes, and sender ends ' +
    'with an address',
  parse(text) {
    const refused = { refused: `allowed is ${mailTemplate.allowed}` }
    const pairs = pairsOf(text)
    if (pairs === null) return refused
    const { topic, body, sender } = pairs
    if (topic === undefined || body === undefined || sender === undefined) return refused
    const isMail = !topic.includes('\n') && /[^\s@<]@[^\s@>]+>?$/.test(sender)
    return isMail ? { value: { topic, body, sender } } : refused
  },
}

/** Null where something is no pair. */
function pairsOf(text: string): Partial<Record<string, string>> | null {
  const pairs: Record<string, string> = {}
  for (let at = 0; at < text.length; at = PAIR.lastIndex) {
    PAIR.lastIndex = at
    const match = PAIR.exec(text)
    if (match === null) return null
    const [, name = '', inDouble, inSingle, bare] = match
    pairs[name.trim()] = inDouble ?? inSingle ?? (bare ?? '').trim()
  }
  return pairs
}
