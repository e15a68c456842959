import { useEffect, useRef, useState } from 'preact/hooks'
import type { Queue } from 'zaqar-client'
import { Dialog } from '../parts/dialog.tsx'
import { Choice, Field } from '../parts/field.tsx'
import { Form } from '../parts/form.tsx'
import { useAction } from '../parts/use-action.ts'
import { pause } from '../pause.ts'
import { text } from '../text.ts'

interface RedriveProps {
  readonly queue: Queue
  /** Ids of the messages that are chosen in the list. */
  readonly chosen: readonly string[]
  changed(): void
  close(): void
}

/** Messages that one request moves at the most where no rate is wanted. */
const BATCH = 200
/** Seconds that one request may take where one is, so that the progress is seen, and a stop is one. */
const STEP_SECONDS = 2

/** Moves dead letters back to where they came from, all or those that are chosen, with how many went. */
export function Redrive({ queue, chosen: chosenNow, changed, close }: RedriveProps) {
  // What has moved is not in the list any more.
  const [chosen] = useState(chosenNow)
  const [which, setWhich] = useState<'all' | 'chosen'>(chosen.length === 0 ? 'all' : 'chosen')
  const [rate, setRate] = useState('')
  const [progress, setProgress] = useState<{ moved: number; of: number } | null>(null)
  const ending = useRef<AbortController | null>(null)
  useEffect(() => () => ending.current?.abort(), [])
  const words = text.redrive
  const move = async (ids: readonly string[] | null) => {
    const end = new AbortController()
    ending.current = end
    const of = ids === null ? ((await queue.stats()).free ?? 0) : ids.length
    let moved = 0
    setProgress({ moved, of })
    const perSecond = rate === '' ? null : Number(rate)
    const limit = perSecond === null ? BATCH : perSecond * STEP_SECONDS
    const terms = { rate: perSecond ?? FASTEST }
    for (let asked = 0, isDone = false; !isDone && !end.signal.aborted; asked += limit) {
      const begun = performance.now()
      const some = ids?.slice(asked, asked + limit)
      const answer = await queue.redrive(some === undefined ? { ...terms, limit } : { ...terms, ids: some })
      moved += answer.moved.length
      isDone = ids === null ? answer.done : asked + limit >= ids.length
      setProgress({ moved, of: Math.max(of, moved) })
      const pauseMs = perSecond === null ? 0 : begun + (answer.moved.length / perSecond) * 1000 - performance.now()
      if (!isDone && pauseMs > 0) await pause(pauseMs, end.signal)
    }
    changed()
  }
  const action = useAction(() => move(which === 'all' ? null : chosen))
  return (
    <Dialog title={words.title} close={close}>
      <p class="hint">{words.hint}</p>
      {action.isRunning ? (
        <div class="actions">
          <button type="button" onClick={() => ending.current?.abort()}>
            {words.stop}
          </button>
        </div>
      ) : (
        <Form action={action} submit={words.start}>
          <Choice
            label={words.which}
            value={which}
            choices={
              chosen.length === 0
                ? [['all', words.all]]
                : [
                    ['all', words.all],
                    ['chosen', words.chosen(chosen.length)],
                  ]
            }
            change={setWhich}
          />
          <Field
            label={words.rate}
            hint={words.rateHint}
            type="number"
            min="1"
            max="10000"
            value={rate}
            change={setRate}
          />
        </Form>
      )}
      {progress !== null && (
        <p class="progress">
          <progress aria-label={words.title} value={progress.moved} max={Math.max(1, progress.of)} />
          <output>{words.moved(progress.moved, progress.of)}</output>
        </p>
      )}
    </Dialog>
  )
}

/** Messages a second: the most that the service takes. */
const FASTEST = 10_000
