import type { Stats } from 'zaqar-client'
import { durationOf } from '../duration.ts'
import { Spark } from '../parts/spark.tsx'
import { type Rates, rateOf, rateText, sumOf } from '../rates.ts'
import { text } from '../text.ts'
import { delayedText } from './list-page.tsx'

/** How much is in a queue or topic, and how fast it comes and goes. */
export function Figures({ stats: { total, free, claimed, delayed, oldest, newest, rates } }: { stats: Stats }) {
  const words = text.queue
  const figures: [string, string | number | undefined][] = [
    [words.total, total],
    [words.free, free],
    [words.claimed, claimed],
    [words.delayed, delayed === undefined ? undefined : delayedText(delayed)],
    [words.oldest, oldest && durationOf(oldest.age)],
    [words.newest, newest && durationOf(newest.age)],
  ]
  return (
    <>
      <dl class="figures">
        {figures.map(
          ([name, value]) =>
            value !== undefined && (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
      </dl>
      {rates !== undefined && <Charts rates={rates} isQueue={claimed !== undefined} />}
    </>
  )
}

/** All charts have one scale: what is higher went faster. */
function Charts({ rates, isQueue }: { rates: Rates; isQueue: boolean }) {
  const shown = isQueue ? (['posted', 'claimed', 'deleted', 'delivered'] as const) : (['posted', 'delivered'] as const)
  const most = Math.max(...shown.flatMap((what) => rates[what]))
  const words = text.queue.rates
  return (
    <>
      <dl class="figures charts">
        {shown.map((what) => (
          <div key={what}>
            <dt>{words[what]}</dt>
            <dd>{text.perSecond(rateText(rateOf(rates[what], rates)))}</dd>
            <dd class="chart">
              <Spark label={text.queue.inAll(words[what], sumOf(rates[what]))} counts={rates[what]} most={most} />
            </dd>
          </div>
        ))}
      </dl>
      <p class="hint">{text.queue.ratesHint}</p>
    </>
  )
}
