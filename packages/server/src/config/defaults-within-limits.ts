import type { Config } from './options.ts'

type Limits = Config['limits']

/** The defaults of `[transport]` that have a maximum beside them. */
const BOUNDED = [
  ['message_ttl', 'defaultMessageTtlSeconds', 'maxMessageTtlSeconds'],
  ['message_delay', 'defaultMessageDelaySeconds', 'maxMessageDelaySeconds'],
  ['claim_ttl', 'defaultClaimTtlSeconds', 'maxClaimTtlSeconds'],
  ['claim_grace', 'defaultClaimGraceSeconds', 'maxClaimGraceSeconds'],
] as const

/**
 * Whoever lowers a maximum alone means it: a default above it comes down to it. Answers the limits, and a sentence for
 * each default that was lowered. `label` names an option and where it was set; limits whose own values were refused are
 * absent.
 */
export function defaultsWithinLimits(
  limits: Partial<Limits>,
  label: (name: string) => string,
): { limits: Partial<Limits>; warnings: string[] } {
  const lowered: Partial<Record<(typeof BOUNDED)[number][1], number>> = {}
  const warnings: string[] = []
  for (const [name, preset, greatest] of BOUNDED) {
    const { [preset]: given = 0, [greatest]: most = given } = limits
    if (given <= most) continue
    lowered[preset] = most
    warnings.push(`${label(`default_${name}`)}: ${given} is more than max_${name} allows, so it is ${most}`)
  }
  return { limits: { ...limits, ...lowered }, warnings }
}
