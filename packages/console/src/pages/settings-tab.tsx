import { useEffect, useState } from 'preact/hooks'
import { changesBetween, type Metadata } from 'zaqar-client'
import { parseExact } from '../exact-json.ts'
import { Area } from '../parts/field.tsx'
import { Form } from '../parts/form.tsx'
import { Trouble } from '../parts/trouble.tsx'
import { useAction } from '../parts/use-action.ts'
import { text } from '../text.ts'
import { useLoaded } from '../use-loaded.ts'
import { visible } from '../visible.ts'
import { topicOf } from './list-page.tsx'
import type { TabProps } from './queue-page.tsx'

/** The metadata of the queue as a document, with what its reserved attributes mean. */
export function SettingsTab({ session, kind, name }: TabProps) {
  const topic = topicOf(session, kind, name)
  const { value, error, reload } = useLoaded((signal) => topic.metadata({ signal }), name)
  const [written, setWritten] = useState<string | null>(null)
  const [isSaved, setSaved] = useState(false)
  const words = text.settings
  useEffect(() => {
    if (value !== null) setWritten(visible(JSON.stringify(value, null, 2)))
  }, [value])
  const action = useAction(async () => {
    setSaved(false)
    // Only what differs is sent: what somebody else has changed meanwhile stays.
    await topic.update(changesBetween(value ?? {}, metadataIn(written ?? '')))
    setSaved(true)
    reload()
  })
  return (
    <Form action={action} submit={text.save} isDisabled={written === null} result={isSaved ? words.saved : ''}>
      <p class="hint">{words.intro}</p>
      <Trouble error={error} />
      {written !== null && <Area label={words.metadata} rows={12} value={written} change={setWritten} />}
      <dl class="meanings">
        {Object.entries(words.reserved).map(([key, meaning]) => (
          <div key={key}>
            <dt>
              <code>{key}</code>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </Form>
  )
}

/** @throws Error with a sentence for people */
function metadataIn(written: string): Metadata {
  const value = parseExact(written)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(text.settings.objectWanted)
  return value as Metadata
}
