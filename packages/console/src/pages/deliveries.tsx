import { Table } from '../parts/table.tsx'
import { Trouble } from '../parts/trouble.tsx'
import { text } from '../text.ts'
import { timeText } from '../time-text.ts'
import { useLoaded } from '../use-loaded.ts'
import type { Source } from './list-page.tsx'

/** Between two looks, in seconds. */
const LOOK_AGAIN = 5

/** What was sent to a subscriber lately, the latest first. */
export function Deliveries({ topic, id }: { topic: Source; id: string }) {
  const { value, error } = useLoaded((signal) => topic.deliveries(id, { signal }), id, LOOK_AGAIN)
  const words = text.deliveries
  const rows = (value ?? []).map(({ at, seconds, status, reason, answer, message_ids }) => ({
    key: `${at} ${message_ids.join()}`,
    cells: [
      timeText(at),
      words.seconds(seconds),
      status ?? '–',
      <Outcome key="outcome" reason={reason} answer={answer} />,
      message_ids.map((one) => <code key={one}>{one} </code>),
    ],
  }))
  return (
    <>
      <Trouble error={error} />
      {value?.length === 0 && <p class="hint">{words.none}</p>}
      {rows.length > 0 && (
        <Table
          label={words.title}
          heads={[words.at, words.took, words.status, words.outcome, words.messages]}
          rows={rows}
        />
      )}
    </>
  )
}

function Outcome({ reason, answer }: { reason: string | null; answer: string | null }) {
  return (
    <>
      <span class={reason === null ? 'good' : 'bad'}>{reason ?? text.deliveries.delivered}</span>
      {answer !== null && answer !== '' && <pre>{answer}</pre>}
    </>
  )
}
