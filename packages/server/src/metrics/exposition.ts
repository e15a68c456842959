/** The forms in which Prometheus and its kind read metrics. */
import type { Family, Labels } from './family.ts'

export type Form = 'prometheus' | 'openmetrics'

export const CONTENT_TYPES: Readonly<Record<Form, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
}

/** Families without samples are left out. */
export function printMetrics(families: readonly Family[], form: Form): string {
  const text = families
    .filter(({ samples }) => samples.length > 0)
    .map((family) => printFamily(family, form))
    .join('')
  return form === 'openmetrics' ? `${text}# EOF\n` : text
}

function printFamily({ name, help, type, samples }: Family, form: Form): string {
  // OpenMetrics names a counter without the end of its samples' names.
  const title = form === 'openmetrics' && type === 'counter' ? name.replace(/_total$/, '') : name
  const lines = samples.map(
    ([suffix, labels, value]) => `${name}${suffix}${printLabels(labels)} ${printValue(value)}\n`,
  )
  return `# HELP ${title} ${escaped(help)}\n# TYPE ${title} ${type}\n${lines.join('')}`
}

function printLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value).replaceAll('"', '\\"')}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function printValue(value: number): string {
  if (Number.isFinite(value) || Number.isNaN(value)) return String(value)
  return value > 0 ? '+Inf' : '-Inf'
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}
