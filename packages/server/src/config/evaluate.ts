/** Makes the configuration of what was set. */

import { closingProblems } from './closing-time.ts'
import { confirmationWarnings } from './confirmation-warnings.ts'
import { defaultsWithinLimits } from './defaults-within-limits.ts'
import { optionGroups, rowOf } from './find-option.ts'
import { keystoneProblems, trusteeProblems } from './keystone-problems.ts'
import { isLoopback } from './loopback.ts'
import { mailProblems } from './mail-problems.ts'
import { isUsed, type Option, type OptionGroup, type UsedOption } from './option.ts'
import type { Config } from './options.ts'
import { BrokenReference, resolve } from './resolve.ts'
import type { Setting } from './settings.ts'

export interface Evaluated {
  readonly config: Config
  /** Sentences that stop the start. */
  readonly problems: readonly string[]
  /** Sentences about what is not as it was set. */
  readonly warnings: readonly string[]
}

/** The values of all options that are used. The value of one without effect is never looked at. */
export function evaluate(values: ReadonlyMap<Option, Setting>): Evaluated {
  const sections: Record<string, Record<string, unknown>> = {}
  const problems: string[] = []
  for (const group of optionGroups) {
    for (const option of group.options.filter(isUsed)) {
      const outcome = evaluateOption(group, option, values)
      if ('problem' in outcome) problems.push(outcome.problem)
      else {
        const [section = '', field = ''] = option.key.split('.')
        sections[section] = { ...sections[section], [field]: outcome.value }
      }
    }
  }
  if (sections['websocket'] !== undefined) sections['websocket'] = withUsualPort(sections['websocket'])
  const {
    auth,
    http,
    keystone,
    limits = {},
    mail = {},
    tls,
    trustee = {},
    webhooks,
    websocket,
  } = sections as Partial<Config>
  const labelIn = (section: string) => (name: string) => {
    const { group, option } = rowOf(section, name)
    return labelOf(group, option, values)
  }
  if (auth?.strategy === 'keystone') {
    problems.push(...keystoneProblems(keystone ?? {}, labelIn('keystone_authtoken')))
    problems.push(...trusteeProblems(trustee, labelIn('trustee')))
  } else if (http?.exposeWithoutAuthentication === false) {
    problems.push(...exposure(http.bind, rowOf('drivers:transport:wsgi', 'bind'), values))
    if (http.adminPort !== null) problems.push(...exposure(http.adminBind, rowOf('http', 'admin_bind'), values))
    if (websocket?.port !== null) {
      problems.push(...exposure(websocket?.bind, rowOf('drivers:transport:websocket', 'bind'), values))
    }
  }
  problems.push(...closingProblems(http, labelIn('DEFAULT')))
  problems.push(...tlsProblems(tls, labelIn('ssl')))
  problems.push(...mailProblems(mail, labelIn('notification')))
  problems.push(...clientProblems(webhooks, labelIn('notification')))
  const bounded = defaultsWithinLimits(limits, labelIn('transport'))
  sections['limits'] = bounded.limits
  const warnings = [...bounded.warnings, ...confirmationWarnings(sections, labelIn('notification'))]
  for (const section of Object.values(sections)) Object.freeze(section)
  return { config: Object.freeze(sections) as Config, problems, warnings }
}

function evaluateOption(
  group: OptionGroup,
  option: UsedOption,
  values: ReadonlyMap<Option, Setting>,
): { value: unknown } | { problem: string } {
  const read = readOption(group, option, values)
  if ('value' in read) return read
  const { text, refused } = read
  const given = text === null ? '' : `${option.kind.show?.(text) ?? JSON.stringify(text)} was given, `
  return { problem: `${labelOf(group, option, values)}: ${given}${refused}` }
}

/** The value, or why its text is refused; without the text where a reference in it leads nowhere. */
export function readOption(
  group: OptionGroup,
  option: UsedOption,
  values: ReadonlyMap<Option, Setting>,
): { readonly value: unknown } | { readonly text: string | null; readonly refused: string } {
  try {
    const text = resolve(group, option, values)
    if (text === null) return { value: null }
    const parsed = option.kind.parse(text)
    if ('value' in parsed) return parsed
    // As in oslo.config: a number without a default may be left empty.
    if (text === '' && option.default === null) return { value: null }
    return { text, refused: parsed.refused }
  } catch (error) {
    if (error instanceof BrokenReference) return { text: null, refused: error.message }
    throw error
  }
}

/** The port of upstream, where its transport is asked for. (contract websocket.md 1) */
function withUsualPort({ transport, port, ...others }: Record<string, unknown>): Record<string, unknown> {
  return { ...others, transport, port: port === null && transport === 'websocket' ? USUAL_PORT : port }
}

const USUAL_PORT = 9000

/** Nobody authenticates callers, so other machines are let in only where the operator asks for it. */
function exposure(
  address: string | undefined,
  { group, option }: ReturnType<typeof rowOf>,
  values: ReadonlyMap<Option, Setting>,
): string[] {
  if (address === undefined || isLoopback(address)) return []
  return [
    `${labelOf(group, option, values)}: other machines may reach ${address}, and as there is no authentication, ` +
      'everybody there could read and write everything; if that is wanted, ' +
      'set [http] expose_without_authentication = true or give --expose-without-authentication',
  ]
}

/** Options whose own values were refused are absent. */
function tlsProblems(tls: Partial<Config['tls']> = {}, label: (name: string) => string): string[] {
  const { certFile, keyFile, caFile } = tls
  const problems = pairProblems(certFile, keyFile, { cert: label('cert_file'), key: label('key_file') })
  if (problems.length > 0) return problems
  if (caFile && certFile === null)
    return [`${label('cert_file')}: it is missing, so clients cannot be asked for theirs`]
  return []
}

function clientProblems(webhooks: Partial<Config['webhooks']> = {}, label: (name: string) => string): string[] {
  const labels = { cert: label('client_cert_file'), key: label('client_key_file') }
  return pairProblems(webhooks.clientCertFile, webhooks.clientKeyFile, labels)
}

type Path = string | null | undefined

/** Certificate and key come together. */
function pairProblems(cert: Path, key: Path, labels: { readonly cert: string; readonly key: string }): string[] {
  if (cert && key === null) return [`${labels.key}: the private key of the certificate is missing`]
  if (key && cert === null) return [`${labels.cert}: the certificate of the private key is missing`]
  return []
}

function labelOf(group: OptionGroup, option: Option, values: ReadonlyMap<Option, Setting>): string {
  const setting = values.get(option)
  return setting === undefined
    ? `[${group.name}] ${option.name}`
    : `${setting.origin}: [${setting.group}] ${setting.name}`
}
