import { useEffect, useRef, useState } from 'preact/hooks'
import type { ListedQueue, Queue, Topic } from 'zaqar-client'
import { ASK_AGAIN, isLost, isOfContact, noteContact } from '../contact.ts'
import { durationOf } from '../duration.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Field } from '../parts/field.tsx'
import { Form } from '../parts/form.tsx'
import { Trouble } from '../parts/trouble.tsx'
import { useAction } from '../parts/use-action.ts'
import { VirtualRows } from '../parts/virtual-rows.tsx'
import { go, hrefOf } from '../route.ts'
import type { Session } from '../session.ts'
import { text } from '../text.ts'
import { useLoaded } from '../use-loaded.ts'

type Kind = 'queue' | 'topic'

/** The service shows no more of them at a time unless an operator says so. */
const PAGE = 20
const ROW_PIXELS = 44
/** Between two looks at a row in view, in seconds. */
const LOOK_AGAIN = 5

/** The queues, or the topics, of the project. */
export function ListPage({ session, kind }: { session: Session; kind: Kind }) {
  const [name, setName] = useState('')
  const [filter, setFilter] = useState('')
  const [isNew, setNew] = useState(false)
  const words = kind === 'queue' ? text.queues : { ...text.queues, ...text.topics }
  return (
    <>
      <div class="bar">
        <h1>{words.list}</h1>
        <Field label={words.search} type="search" value={name} change={setName} />
        {kind === 'queue' && (
          <Field label={words.filter} placeholder={words.filterHint} value={filter} change={setFilter} />
        )}
        <button type="button" class="primary" onClick={() => setNew(true)}>
          {words.create}
        </button>
      </div>
      <Listing key={`${name}\n${filter}`} session={session} kind={kind} name={name} filter={filter} none={words.none} />
      {isNew && <NewQueue session={session} kind={kind} title={words.createTitle} close={() => setNew(false)} />}
    </>
  )
}

interface ListingProps {
  readonly session: Session
  readonly kind: Kind
  readonly name: string
  readonly filter: string
  readonly none: string
}

/** Further pages are asked for when the end of the list comes into view. */
function Listing({ session, kind, name, filter, none }: ListingProps) {
  const [items, setItems] = useState<readonly ListedQueue[]>([])
  const [state, setState] = useState<{ isOver: boolean; error: unknown }>({ isOver: false, error: null })
  const source = useRef<AsyncGenerator<ListedQueue, void> | null>(null)
  const last = useRef<string | undefined>(undefined)
  const isAsking = useRef(false)
  const ending = useRef(new AbortController())
  useEffect(() => () => ending.current.abort(), [])
  const more = async () => {
    if (isAsking.current || state.isOver || state.error !== null) return
    isAsking.current = true
    const { signal } = ending.current
    const { zaqar } = session
    const terms = { limit: PAGE, signal, marker: last.current, ...(name !== '' && { name }) }
    source.current ??= kind === 'queue' ? zaqar.queues({ ...terms, metadata: filtersIn(filter) }) : zaqar.topics(terms)
    try {
      const found: ListedQueue[] = []
      let isOver = false
      while (found.length < PAGE && !isOver) {
        const next = await source.current.next()
        if (next.done) isOver = true
        else found.push(next.value)
      }
      noteContact(null)
      last.current = found.at(-1)?.name ?? last.current
      isAsking.current = false
      setItems((before) => [...before, ...found])
      if (isOver) setState({ isOver, error: null })
    } catch (error) {
      if (signal.aborted) return
      noteContact(error)
      // It goes on behind the last one that is shown.
      source.current = null
      isAsking.current = isLost(error)
      if (isLost(error)) setTimeout(again, ASK_AGAIN * 1000)
      else setState({ isOver: false, error: isOfContact(error) ? null : error })
    }
  }
  const again = () => {
    isAsking.current = false
    void more()
  }
  if (items.length === 0 && state.isOver) return <p class="empty">{none}</p>
  return (
    <>
      <Trouble error={state.error} />
      <div class="row-head" aria-hidden="true">
        <span>{text.queues.name}</span>
        <span>{text.queues.depth}</span>
        {kind === 'queue' && <span>{text.queues.claimed}</span>}
        <span>{text.queues.oldest}</span>
      </div>
      <VirtualRows
        items={items}
        height={ROW_PIXELS}
        label={text.queues.list}
        keyOf={(item) => item.name}
        row={(item) => <Row session={session} kind={kind} name={item.name} />}
        atEnd={() => void more()}
      />
    </>
  )
}

function Row({ session, kind, name }: { session: Session; kind: Kind; name: string }) {
  const { value } = useLoaded((signal) => topicOf(session, kind, name).stats({ signal }), name, LOOK_AGAIN)
  return (
    <a class="row-link" href={hrefOf([`${kind}s`, name])}>
      <bdi>{name}</bdi>
      <span>{value?.total ?? '·'}</span>
      {kind === 'queue' && <span>{value?.claimed ?? '·'}</span>}
      <span>{value?.oldest === undefined ? '–' : durationOf(value.oldest.age)}</span>
    </a>
  )
}

function NewQueue(props: { session: Session; kind: Kind; title: string; close(): void }) {
  const { session, kind, title, close } = props
  const [name, setName] = useState('')
  const action = useAction(async () => {
    await topicOf(session, kind, name).create()
    close()
    go([`${kind}s`, name])
  })
  return (
    <Dialog title={title} close={close}>
      <Form action={action} submit={title}>
        <Field
          label={text.queues.name}
          hint={text.queues.nameHint}
          value={name}
          change={setName}
          required
          maxLength={64}
        />
      </Form>
    </Dialog>
  )
}

/** A queue is a topic that can be claimed from. */
export type Source = Queue | Topic

export function topicOf({ zaqar }: Session, kind: Kind, name: string): Source {
  return kind === 'queue' ? zaqar.queue(name) : zaqar.topic(name)
}

/** `key=value, key=value`; a value that is a number is one. */
function filtersIn(written: string): Record<string, string | number> {
  const pairs = written.split(',').map((pair) => pair.split('='))
  return Object.fromEntries(
    pairs.flatMap(([key = '', ...value]) => {
      const whole = value.join('=').trim()
      return key.trim() === '' || whole === '' ? [] : [[key.trim(), whole]]
    }),
  )
}
