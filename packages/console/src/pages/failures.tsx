import { useState } from 'preact/hooks'
import type { Failure } from 'zaqar-client'
import { ActionButton } from '../parts/action-button.tsx'
import { JsonTree } from '../parts/json-tree.tsx'
import { Trouble } from '../parts/trouble.tsx'
import { text } from '../text.ts'
import { timeText } from '../time-text.ts'
import { useLoaded } from '../use-loaded.ts'
import type { Source } from './list-page.tsx'
import { taken } from './taken.ts'

/** Between two looks, in seconds. */
const LOOK_AGAIN = 10
/** More are not shown: to deliver all again concerns those, too. */
const MOST = 100

/** What a subscriber was told of in vain, to be delivered again. */
export function Failures({ topic, id, mayReplay }: { topic: Source; id: string; mayReplay: boolean }) {
  const load = (signal: AbortSignal) => taken(topic.failures(id, { signal }), MOST)
  const { value, error, reload } = useLoaded(load, id, LOOK_AGAIN)
  const [replayed, setReplayed] = useState<number | null>(null)
  const words = text.failures
  const replay = async (which: { readonly ids?: readonly string[] }) => {
    let count = 0
    for (let isDone = false; !isDone; ) {
      const answer = await topic.replay(id, which)
      count += answer.replayed.length
      isDone = answer.done || answer.replayed.length === 0
      setReplayed(count)
    }
    reload()
  }
  return (
    <section class="panel" aria-label={words.title}>
      <Trouble error={error} />
      {value?.length === 0 && <p class="hint">{words.none}</p>}
      <div class="actions">
        {mayReplay && value !== null && value.length > 0 && (
          <ActionButton label={words.replay} act={() => replay({})} />
        )}
        <output>{replayed === null ? '' : words.replayed(replayed)}</output>
      </div>
      <ul class="messages">
        {value?.map((failure) => (
          <Item key={failure.id} failure={failure} replay={mayReplay ? () => replay({ ids: [failure.id] }) : null} />
        ))}
      </ul>
      {value?.length === MOST && <p class="hint">{words.first(MOST)}</p>}
    </section>
  )
}

function Item({ failure, replay }: { failure: Failure; replay: (() => Promise<void>) | null }) {
  const { id, failed, attempts, latest_attempts, body } = failure
  const words = text.failures
  return (
    <li class="message">
      <div class="message-head">
        <code>{id}</code>
        <span>{words.failed(timeText(failed), attempts)}</span>
        <span class="bad">{latest_attempts.at(-1)?.reason}</span>
        {replay !== null && (
          <span class="message-actions">
            <ActionButton label={words.replayOne} tone="plain" act={replay} />
          </span>
        )}
      </div>
      <JsonTree value={body} />
      <details>
        <summary>{words.attempts}</summary>
        <JsonTree value={latest_attempts} />
      </details>
    </li>
  )
}
