import { useState } from 'preact/hooks'
import { spelledNumber } from '../exact-json.ts'
import { text } from '../text.ts'
import { visible } from '../visible.ts'

/** Longer texts, and lists, show their beginning; the rest comes when it is asked for. */
const SHOWN_CHARACTERS = 2_000
const SHOWN_ITEMS = 100
/** What lies deeper is not moved further to the right: a narrow page would have no room left for it. */
const INDENTED = 10
/** So deep it is open at once. */
const OPEN_DEPTH = 1

/** A JSON value that can be folded. Only what is open is drawn, so its size and depth do not matter. */
export function JsonTree({ value, name = null, depth = 0 }: { value: unknown; name?: string | null; depth?: number }) {
  const entries = entriesOf(value)
  return entries === null ? (
    <div class="json-leaf">
      <Name name={name} />
      <Leaf value={value} />
    </div>
  ) : (
    <Branch value={value} name={name} entries={entries} depth={depth} />
  )
}

function Branch(props: {
  value: unknown
  name: string | null
  entries: readonly (readonly [string, unknown])[]
  depth: number
}) {
  const { value, name, entries, depth } = props
  const [isOpen, setOpen] = useState(depth < OPEN_DEPTH)
  const [shown, setShown] = useState(SHOWN_ITEMS)
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}']
  return (
    <details class="json-branch" open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <Name name={name} />
        <span class="json-bracket">{isOpen ? open : `${open}…${close}`}</span>
        <span class="muted"> {text.json.size(entries.length)}</span>
      </summary>
      {isOpen && (
        <div class={depth < INDENTED ? 'json-inside' : undefined}>
          {entries.slice(0, shown).map(([key, item]) => (
            <JsonTree key={key} name={Array.isArray(value) ? null : key} value={item} depth={depth + 1} />
          ))}
          {shown < entries.length && (
            <button type="button" class="plain" onClick={() => setShown(shown + SHOWN_ITEMS)}>
              {text.json.more(entries.length - shown)}
            </button>
          )}
          <span class="json-bracket">{close}</span>
        </div>
      )}
    </details>
  )
}

function Name({ name }: { name: string | null }) {
  if (name === null) return null
  return (
    <>
      <bdi class="json-name">{visible(JSON.stringify(name))}</bdi>
      {': '}
    </>
  )
}

function Leaf({ value }: { value: unknown }) {
  const [isWhole, setWhole] = useState(false)
  const spelled = spelledNumber(value)
  if (spelled !== null) return <span class="json-number">{spelled}</span>
  if (typeof value !== 'string') return <span class={`json-${typeof value}`}>{String(value)}</span>
  const written = visible(JSON.stringify(value))
  return (
    <>
      <bdi class="json-string">{isWhole ? written : written.slice(0, SHOWN_CHARACTERS)}</bdi>
      {!isWhole && written.length > SHOWN_CHARACTERS && (
        <button type="button" class="plain" onClick={() => setWhole(true)}>
          {text.json.rest(written.length - SHOWN_CHARACTERS)}
        </button>
      )}
    </>
  )
}

/** Null for a value that holds none. */
function entriesOf(value: unknown): readonly (readonly [string, unknown])[] | null {
  if (typeof value !== 'object' || value === null || spelledNumber(value) !== null) return null
  return Object.entries(value)
}
