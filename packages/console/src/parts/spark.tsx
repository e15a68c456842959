/** Of the drawing, in its own units; it is as wide as its place. */
const WIDTH = 120
const HEIGHT = 24

/** As many steps have room; where fewer were counted, the chart begins later. */
const STEPS = 120

interface SparkProps {
  /** What it shows, in words, for who does not see it. */
  readonly label: string
  /** Of each step, the latest last. */
  readonly counts: readonly number[]
  /** The height of the chart is so much at least. */
  readonly most?: number
}

/** A small chart of how something went. */
export function Spark({ label, counts, most = 0 }: SparkProps) {
  const top = Math.max(1, most, ...counts)
  const step = WIDTH / (STEPS - 1)
  const begin = WIDTH - (counts.length - 1) * step
  const points = counts.map(
    (count, i) => `${rounded(begin + i * step)},${rounded(HEIGHT - 1 - (count / top) * (HEIGHT - 2))}`,
  )
  return (
    <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
      <line x2={WIDTH} y1={HEIGHT - 1} y2={HEIGHT - 1} />
      <polygon points={`${rounded(begin)},${HEIGHT - 1} ${points.join(' ')} ${WIDTH},${HEIGHT - 1}`} />
      <polyline points={points.join(' ')} />
    </svg>
  )
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10
}
