import { useEffect, useRef, useState } from 'preact/hooks'
import { changesBetween, type Metadata } from 'zaqar-client'
import { boundsOf } from '../bounds.ts'
import { objectIn } from '../exact-json.ts'
import { Area, Check, Field } from '../parts/field.tsx'
import { Form } from '../parts/form.tsx'
import { Trouble } from '../parts/trouble.tsx'
import { useAction } from '../parts/use-action.ts'
import type { Limit, Session } from '../session.ts'
import { text } from '../text.ts'
import { useLoaded } from '../use-loaded.ts'
import { visible } from '../visible.ts'
import { topicOf } from './list-page.tsx'
import type { TabProps } from './queue-page.tsx'

const words = text.settings

type Attribute = keyof typeof words.reserved

/** Reserved attributes that have a field of their own, in the order of the page. */
const FIELDS: Record<Attribute, AttributeField> = {
  _default_message_ttl: { type: 'number', limit: 'ttl', isOfTopics: true },
  _default_message_delay: { type: 'number', limit: 'delay', isOfTopics: true },
  _max_messages_post_size: { type: 'number', limit: 'postBytes', isOfTopics: true },
  _max_claim_count: { type: 'number', isOfTopics: false },
  _dead_letter_queue: { type: 'text', isOfTopics: false },
  _dead_letter_queue_messages_ttl: { type: 'number', limit: 'ttl', isOfTopics: false },
}

interface AttributeField {
  readonly type: 'number' | 'text'
  /** What it is kept within. */
  readonly limit?: Limit
  readonly isOfTopics: boolean
}

const ENCRYPTS = '_enable_encrypt_messages'

/** The settings as they are on the page. */
interface Draft {
  readonly fields: Readonly<Record<string, string>>
  readonly encrypts: boolean
  /** All other attributes, as JSON. */
  readonly others: string
}

/** What the service knows of by fields, everything else as JSON. */
export function SettingsTab({ session, kind, name }: TabProps) {
  const topic = topicOf(session, kind, name)
  const loaded = useLoaded((signal) => topic.metadata({ signal }), name)
  const [updated, setUpdated] = useState<Metadata | null>(null)
  const value = updated ?? loaded.value
  const [draft, setDraft] = useState<Draft | null>(null)
  const [isSaved, setSaved] = useState(false)
  const attributes = (Object.keys(FIELDS) as Attribute[]).filter((one) => kind === 'queue' || FIELDS[one].isOfTopics)
  /** Since it was sent last: what is typed before the answer comes is kept. */
  const isEdited = useRef(false)
  useEffect(() => {
    if (value !== null && !isEdited.current) setDraft(draftOf(value, attributes))
  }, [value])
  const edit = (next: Draft) => {
    isEdited.current = true
    setSaved(false)
    setDraft(next)
  }
  const action = useAction(async () => {
    isEdited.current = false
    setSaved(false)
    const before = value ?? {}
    // Only what differs is sent: what somebody else has changed meanwhile stays.
    setUpdated(await topic.update(changesBetween(before, metadataIn(draft as Draft, before))))
    setSaved(!isEdited.current)
  })
  if (draft === null && loaded.error === null) return <p class="empty">{text.loading}</p>
  if (draft === null) return <Trouble error={loaded.error} />
  const content = (
    <>
      <p class="hint">{words.intro}</p>
      <div class="fields">
        {attributes.map((key) => (
          <Field
            key={key}
            label={words.reserved[key].label}
            {...termsOf(key, session)}
            type={FIELDS[key].type}
            value={draft.fields[key] ?? ''}
            change={(written) => edit({ ...draft, fields: { ...draft.fields, [key]: written } })}
          />
        ))}
      </div>
      {kind === 'queue' && (
        <Check
          label={`${words.encrypts} (${ENCRYPTS})`}
          isOn={draft.encrypts}
          change={(encrypts) => edit({ ...draft, encrypts })}
        />
      )}
      <Area
        label={words.others}
        hint={words.othersHint}
        rows={6}
        value={draft.others}
        change={(others) => edit({ ...draft, others })}
      />
    </>
  )
  if (!session.may(`${kind}s:update`)) return <fieldset disabled>{content}</fieldset>
  return (
    <Form action={action} submit={text.save} result={isSaved ? words.saved : ''}>
      {content}
    </Form>
  )
}

/** Says what may stand there, and keeps it so. */
function termsOf(key: Attribute, session: Session) {
  const { limit } = FIELDS[key]
  const { hint } = words.reserved[key]
  if (limit === undefined) return { hint: `${hint} (${key})` }
  const range = text.range(...session.limits[limit])
  return { hint: `${hint}, ${range} (${key})`, ...boundsOf(limit, session) }
}

function draftOf(metadata: Metadata, attributes: readonly Attribute[]): Draft {
  const own = Object.entries(metadata).filter(([key]) => !attributes.includes(key as Attribute) && key !== ENCRYPTS)
  const fields = attributes.map((key) => [key, metadata[key] === null ? '' : String(metadata[key] ?? '')])
  return {
    fields: Object.fromEntries(fields),
    encrypts: metadata[ENCRYPTS] === true,
    others: visible(JSON.stringify(Object.fromEntries(own), null, 2)),
  }
}

/** @throws Error with a sentence for people */
function metadataIn({ fields, encrypts, others }: Draft, before: Metadata): Metadata {
  const rest = objectIn(others, words.objectWanted)
  const ownFields = Object.entries(fields).flatMap(([key, written]): [string, string | number | null][] => {
    if (written === '') return Object.hasOwn(before, key) ? [[key, null]] : []
    return [[key, FIELDS[key as Attribute].type === 'text' ? written : Number(written)]]
  })
  const encrypted = encrypts || Object.hasOwn(before, ENCRYPTS) ? { [ENCRYPTS]: encrypts } : {}
  return { ...rest, ...Object.fromEntries(ownFields), ...encrypted }
}
