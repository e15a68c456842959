import assert from 'node:assert/strict'
import { test } from 'node:test'
import { printMetrics } from '../../src/metrics/exposition.ts'
import { Histogram } from '../../src/metrics/instruments.ts'
import { Metrics } from '../../src/metrics/metrics.ts'

function sample(): Metrics {
  const metrics = new Metrics()
  const counter = metrics.counter({ name: 'seen_total', help: 'What was\nseen in C:\\' })
  counter({ of: 'a "quoted" \\ name\n' }).add(2)
  const histogram = new Histogram([0.1, 1])
  for (const value of [0.1, 0.5, 1, 7]) histogram.observe(value)
  metrics.histogram({ name: 'took_seconds', help: 'Time' }, () => [[{ of: 'x' }, histogram]])
  metrics.gauge({ name: 'level', help: 'Level' }, () => Number.POSITIVE_INFINITY)
  metrics.gauge({ name: 'unknown', help: 'Of nothing' }, () => [])
  return metrics
}

test('the text of Prometheus escapes what is special, and counts up to each bound', () => {
  assert.equal(
    printMetrics(sample().collect(), 'prometheus'),
    `# HELP seen_total What was\\nseen in C:\\\\
# TYPE seen_total counter
seen_total{of="a \\"quoted\\" \\\\ name\\n"} 2
# HELP took_seconds Time
# TYPE took_seconds histogram
took_seconds_bucket{of="x",le="0.1"} 1
took_seconds_bucket{of="x",le="1"} 3
took_seconds_bucket{of="x",le="+Inf"} 4
took_seconds_sum{of="x"} 8.6
took_seconds_count{of="x"} 4
# HELP level Level
# TYPE level gauge
level +Inf
`,
  )
})

test('OpenMetrics names a counter without the end of its samples, and says where it ends', () => {
  const text = printMetrics(sample().collect(), 'openmetrics')
  assert.match(text, /^# HELP seen What was.*\n# TYPE seen counter\nseen_total\{/)
  assert.match(text, /\nlevel \+Inf\n# EOF\n$/)
})
