import { useEffect, useRef, useState } from 'preact/hooks'
import type { ListedQueue, Queue, Topic } from 'zaqar-client'
import { durationOf } from '../duration.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Choice, Field } from '../parts/field.tsx'
import { Form } from '../parts/form.tsx'
import { Spark } from '../parts/spark.tsx'
import { Trouble } from '../parts/trouble.tsx'
import { useAction } from '../parts/use-action.ts'
import { VirtualTable } from '../parts/virtual-table.tsx'
import { type Rates, rateOf, rateText, sumOf } from '../rates.ts'
import { go, hrefOf, keep, type Route } from '../route.ts'
import type { Session } from '../session.ts'
import { text } from '../text.ts'
import { useListing, type View } from '../use-listing.ts'
import { useLoaded } from '../use-loaded.ts'
import { useSettled } from '../use-settled.ts'

type Kind = 'queue' | 'topic'

/** So many are asked for at a time, where the service gives as many. */
const PAGE = 20
/** Between two looks at a row in view, and at which rows there are, in seconds. */
const LOOK_AGAIN = 5
/** A row that is scrolled past sooner is not looked up, in milliseconds. */
const PATIENCE = 120
/** The service does not count delayed messages beyond. */
const MOST_DELAYED = 1_000

interface ListPageProps {
  readonly session: Session
  readonly kind: Kind
  /** Its query has what was looked for: `name`, `metadata`. */
  readonly route: Route
}

/** The queues, or the topics, of the project. */
export function ListPage({ session, kind, route }: ListPageProps) {
  const [name, setName] = useState(route.query.get('name') ?? '')
  const [filter, setFilter] = useState(route.query.get('metadata') ?? '')
  const [isNew, setNew] = useState(false)
  const [turn, setTurn] = useState(0)
  const wanted = useSettled(`${name}\n${filter}`)
  const words = kind === 'queue' ? text.queues : { ...text.queues, ...text.topics }
  const mayList = session.may(`${kind}s:get_all`)
  useEffect(() => {
    const [name = '', metadata = ''] = wanted.split('\n')
    keep(route, { ...(name !== '' && { name }), ...(metadata !== '' && { metadata }) })
  }, [wanted])
  return (
    <>
      <div class="head">
        <h1>{words.list}</h1>
        {session.may(`${kind}s:create`) && (
          <button type="button" class="primary" onClick={() => setNew(true)}>
            {words.create}
          </button>
        )}
      </div>
      {mayList ? (
        <>
          <search class="bar">
            <Field label={words.search} type="search" value={name} change={setName} />
            {kind === 'queue' && (
              <Field label={words.filter} placeholder={words.filterHint} value={filter} change={setFilter} />
            )}
            <button type="button" onClick={() => setTurn(turn + 1)}>
              {text.reload}
            </button>
          </search>
          <Listing key={`${turn} ${wanted}`} session={session} kind={kind} wanted={wanted} words={words} />
        </>
      ) : (
        <OpenByName kind={kind} />
      )}
      {isNew && <NewQueue session={session} kind={kind} title={words.createTitle} close={() => setNew(false)} />}
    </>
  )
}

interface ListingProps {
  readonly session: Session
  readonly kind: Kind
  /** Part of the name, and filters, in two lines. */
  readonly wanted: string
  readonly words: { readonly list: string; readonly none: string; readonly noneFits: string }
}

/** Further pages are asked for when the end of the list comes into view. */
function Listing({ session, kind, wanted, words }: ListingProps) {
  const [name = '', filter = ''] = wanted.split('\n')
  const { zaqar, limits } = session
  const most = Math.min(PAGE, limits.queuesOfPage[1])
  const listing = useListing<ListedQueue>((last, signal) => {
    const terms = { limit: most, signal, marker: last?.name, ...(name !== '' && { name }) }
    return kind === 'queue' ? zaqar.queues({ ...terms, metadata: filtersIn(filter) }) : zaqar.topics(terms)
  }, most)
  const view = useRef<View>({ first: 0, end: 0 })
  const renewed = useLoaded((signal) => listing.renew(view.current, signal), '', LOOK_AGAIN, LOOK_AGAIN * 1000)
  const { name: nameHead, depth, claimed, delayed, oldest } = text.queues
  const { posted, deleted, delivered } = text.queue.rates
  const heads =
    kind === 'queue'
      ? [nameHead, posted, deleted, depth, claimed, delayed, oldest]
      : [nameHead, posted, delivered, depth, delayed, oldest]
  if (listing.items.length === 0 && listing.isOver) {
    return <p class="empty">{wanted.trim() === '' ? words.none : words.noneFits}</p>
  }
  return (
    <>
      <Trouble error={listing.error ?? renewed.error} />
      <VirtualTable
        items={listing.items}
        label={words.list}
        heads={heads}
        kind={`table-of-${kind}s`}
        keyOf={(item) => item.name}
        row={(item) => <Row session={session} kind={kind} name={item.name} />}
        drawn={(first, end) => {
          view.current = { first, end }
        }}
        atEnd={listing.more}
      />
      {listing.items.length === 0 && listing.error === null && <p class="empty">{text.loading}</p>}
      <p class="hint">{text.queue.ratesHint}</p>
    </>
  )
}

function Row({ session, kind, name }: { session: Session; kind: Kind; name: string }) {
  const topic = topicOf(session, kind, name)
  const load = (signal: AbortSignal) => topic.stats({ detailed: true, signal })
  const { value } = useLoaded(session.may(`${kind}s:stats`) ? load : null, name, LOOK_AGAIN, PATIENCE)
  return (
    <>
      <th scope="row">
        <a class="row-link" href={hrefOf([`${kind}s`, name])}>
          <bdi>{name}</bdi>
        </a>
      </th>
      <RateCell rates={value?.rates} what="posted" />
      <RateCell rates={value?.rates} what={kind === 'queue' ? 'deleted' : 'delivered'} />
      <td>{value?.total ?? '·'}</td>
      {kind === 'queue' && <td>{value?.claimed ?? '·'}</td>}
      <td>{value?.delayed === undefined ? '·' : delayedText(value.delayed)}</td>
      <td>{value?.oldest === undefined ? '–' : durationOf(value.oldest.age)}</td>
    </>
  )
}

function RateCell({ rates, what }: { rates: Rates | undefined; what: keyof typeof text.queue.rates }) {
  if (rates === undefined) return <td />
  const counts = rates[what]
  return (
    <td>
      <Spark label={text.queue.inAll(text.queue.rates[what], sumOf(counts))} counts={counts} />
      <span class="rate">{text.perSecond(rateText(rateOf(counts, rates)))}</span>
    </td>
  )
}

/** For who may not list them. */
function OpenByName({ kind }: { kind: Kind }) {
  const [name, setName] = useState('')
  const action = useAction(async () => go([`${kind}s`, name]))
  return (
    <Form action={action} submit={text.signIn.open} isBar>
      <Field label={text.queues.name} value={name} change={setName} required />
    </Form>
  )
}

function NewQueue(props: { session: Session; kind: Kind; title: string; close(): void }) {
  const { session, kind, title, close } = props
  const [name, setName] = useState('')
  const [flavor, setFlavor] = useState('')
  // A service that shows its operators' routes elsewhere has none to show.
  const listed = useLoaded(
    kind === 'queue' && session.may('flavors:get_all')
      ? (signal) => Array.fromAsync(session.zaqar.flavors({ signal }), (one) => one.name)
      : null,
    'flavors',
  )
  const flavors = listed.value ?? []
  const action = useAction(async () => {
    await topicOf(session, kind, name).create(flavor === '' ? {} : { _flavor: flavor })
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
        {flavors.length > 0 && (
          <Choice
            label={text.queues.flavor}
            value={flavor}
            choices={[['', text.queues.noFlavor], ...flavors.map((one) => [one, one] as const)]}
            change={setFlavor}
          />
        )}
      </Form>
    </Dialog>
  )
}

/** A queue is a topic that can be claimed from. */
export type Source = Queue | Topic

export function topicOf({ zaqar }: Session, kind: Kind, name: string): Source {
  return kind === 'queue' ? zaqar.queue(name) : zaqar.topic(name)
}

export function delayedText(delayed: number): string {
  return delayed < MOST_DELAYED ? String(delayed) : `${MOST_DELAYED}+`
}

/** Of `key=value, key=value`. */
function filtersIn(written: string): Record<string, string> {
  const pairs = written.split(',').map((pair) => pair.split('='))
  return Object.fromEntries(
    pairs.flatMap(([key = '', ...value]) => {
      const whole = value.join('=').trim()
      return key.trim() === '' || whole === '' ? [] : [[key.trim(), whole]]
    }),
  )
}
