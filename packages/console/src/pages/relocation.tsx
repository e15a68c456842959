import { useState } from 'preact/hooks'
import type { Drain, Rebalance } from 'zaqar-client'
import { ActionButton } from '../parts/action-button.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { Field } from '../parts/field.tsx'
import { Form } from '../parts/form.tsx'
import { Trouble } from '../parts/trouble.tsx'
import { useAction } from '../parts/use-action.ts'
import { text } from '../text.ts'
import { timeText } from '../time-text.ts'
import { useLoaded } from '../use-loaded.ts'

/** Between two looks, in seconds. */
const LOOK_AGAIN = 2

interface RelocationProps {
  readonly title: string
  readonly hint: string
  begin(rate: number | undefined): Promise<unknown>
  /** The last one; null where nobody has asked for any. */
  look(signal: AbortSignal): Promise<Drain | Rebalance | null>
  cancel(): Promise<unknown>
  close(): void
}

/** Queues that go from pool to pool: a drain, or the rebalance. It goes on when the dialog is closed. */
export function Relocation({ title, hint, begin, look, cancel, close }: RelocationProps) {
  const { value, error, reload } = useLoaded(look, title, LOOK_AGAIN)
  const [rate, setRate] = useState('')
  const words = text.relocation
  const start = useAction(() => begin(rate === '' ? undefined : Number(rate)).then(reload))
  const isUnderWay = value?.status === 'draining' || value?.status === 'rebalancing'
  return (
    <Dialog title={title} close={close}>
      <p class="hint">{hint}</p>
      <Trouble error={error} />
      {value !== null && <Progress relocation={value} />}
      {isUnderWay ? (
        <div class="actions">
          <ActionButton label={words.cancel} tone="danger" act={() => cancel().then(reload)} />
        </div>
      ) : (
        <Form action={start} submit={words.start}>
          <Field label={words.rate} hint={words.rateHint} type="number" min="1" value={rate} change={setRate} />
        </Form>
      )}
    </Dialog>
  )
}

function Progress({ relocation }: { relocation: Drain | Rebalance }) {
  const { status, asked, ended, queues_left: left, queues_moved: moved, records_moved: records, trouble } = relocation
  const words = text.relocation
  return (
    <>
      <p role="status">
        {words.states[status]}. {ended === null ? words.since(timeText(asked)) : words.until(timeText(ended))}
      </p>
      <p class="progress">
        {left !== null && <progress aria-label={words.queues} value={moved} max={Math.max(1, moved + left)} />}
        <output>{words.moved(moved, left, records)}</output>
      </p>
      {trouble !== null && <p class="trouble">{trouble}</p>}
    </>
  )
}
