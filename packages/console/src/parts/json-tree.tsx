import { useState } from 'preact/hooks'
import { spelledNumber } from '../exact-json.ts'
import { text } from '../text.ts'
import { visible } from '../visible.ts'

/** Longer texts, and lists, show their beginning; the rest comes when it is asked for. */
const SHOWN_CHARACTERS = 2_000
const SHOWN_ITEMS = 100
/** What lies deeper is not moved further to the right: a narrow page would have no room left for it. */
const INDENTED = 10
/** So deep it is open at once; and so deep where something is looked for. */
const OPEN_DEPTH = 1
const OPEN_DEPTH_TO_FIND = 100

interface NodeProps {
  readonly value: unknown
  readonly name?: string | null
  readonly depth?: number
  /** Only what holds this is shown, with all that leads to it open. */
  readonly find?: string | undefined
}

type Entries = readonly (readonly [string, unknown])[]

/** A JSON value that can be folded. Only what is open is drawn, so its size and depth do not matter. */
export function JsonTree({ value, name = null, depth = 0, find = '' }: NodeProps) {
  const entries = entriesOf(value)
  return entries === null ? (
    <div class="json-leaf">
      <Name name={name} find={find} />
      <Leaf value={value} find={find} />
    </div>
  ) : (
    <Branch key={find} value={value} name={name} entries={entries} depth={depth} find={find} />
  )
}

/** Whether the text is in the value, or in a name within it. */
export function isFound(value: unknown, find: string): boolean {
  // A value may be deeper than calls can be nested.
  const open: unknown[] = [value]
  while (open.length > 0) {
    const next = open.pop()
    const entries = entriesOf(next)
    if (entries === null) {
      if (holds(leafText(next), find)) return true
      continue
    }
    const areNamed = !Array.isArray(next)
    for (const [name, item] of entries) {
      if (areNamed && holds(name, find)) return true
      open.push(item)
    }
  }
  return false
}

interface BranchProps {
  readonly value: unknown
  readonly name: string | null
  readonly entries: Entries
  readonly depth: number
  readonly find: string
}

function Branch({ value, name, entries: all, depth, find }: BranchProps) {
  const [isOpen, setOpen] = useState(depth < (find === '' ? OPEN_DEPTH : OPEN_DEPTH_TO_FIND))
  const [shown, setShown] = useState(SHOWN_ITEMS)
  const isList = Array.isArray(value)
  const [open, close] = isList ? ['[', ']'] : ['{', '}']
  const fits = ([key, item]: readonly [string, unknown]) => (!isList && holds(key, find)) || isFound(item, find)
  const entries = find === '' || !isOpen ? all : all.filter(fits)
  return (
    <details class="json-branch" open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <Name name={name} find={find} />
        <span class="json-bracket">{isOpen ? open : `${open}…${close}`}</span>
        <span class="muted"> {text.json.size(all.length)}</span>
      </summary>
      {isOpen && (
        <div class={depth < INDENTED ? 'json-inside' : undefined}>
          {entries.slice(0, shown).map(([key, item]) => (
            <JsonTree
              key={key}
              name={isList ? null : key}
              value={item}
              depth={depth + 1}
              // Below a name that fits, everything is worth seeing.
              find={!isList && holds(key, find) && !isFound(item, find) ? '' : find}
            />
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

function Name({ name, find }: { name: string | null; find: string }) {
  if (name === null) return null
  return (
    <>
      <bdi class="json-name">
        <Marked written={visible(JSON.stringify(name))} find={find} />
      </bdi>
      {': '}
    </>
  )
}

function Leaf({ value, find }: { value: unknown; find: string }) {
  const [isWhole, setWhole] = useState(false)
  const spelled = spelledNumber(value)
  const kind = spelled === null ? typeof value : 'number'
  if (typeof value !== 'string') {
    return (
      <span class={`json-${kind}`}>
        <Marked written={leafText(value)} find={find} />
      </span>
    )
  }
  const written = visible(JSON.stringify(value))
  const end = isWhole || (find !== '' && holds(written, find)) ? written.length : SHOWN_CHARACTERS
  return (
    <>
      <bdi class="json-string">
        <Marked written={written.slice(0, end)} find={find} />
      </bdi>
      {end < written.length && (
        <button type="button" class="plain" onClick={() => setWhole(true)}>
          {text.json.rest(written.length - end)}
        </button>
      )}
    </>
  )
}

/** The text, with what is looked for marked in it. */
function Marked({ written, find }: { written: string; find: string }) {
  if (find === '') return <>{written}</>
  const parts: (string | preact.JSX.Element)[] = []
  let end = 0
  for (let at = placeOf(written, find, 0); at !== -1; at = placeOf(written, find, end)) {
    parts.push(written.slice(end, at), <mark key={at}>{written.slice(at, at + find.length)}</mark>)
    end = at + find.length
  }
  return (
    <>
      {parts}
      {written.slice(end)}
    </>
  )
}

function holds(written: string, find: string): boolean {
  return find !== '' && placeOf(written, find, 0) !== -1
}

/** As it is, or in other letters' case, where that does not change places. */
function placeOf(written: string, find: string, from: number): number {
  const lower = written.toLowerCase()
  return lower.length === written.length ? lower.indexOf(find.toLowerCase(), from) : written.indexOf(find, from)
}

function leafText(value: unknown): string {
  return spelledNumber(value) ?? String(value)
}

/** Null for a value that holds none. */
function entriesOf(value: unknown): Entries | null {
  if (typeof value !== 'object' || value === null || spelledNumber(value) !== null) return null
  return Object.entries(value)
}
