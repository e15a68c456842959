import { useEffect, useRef, useState } from 'preact/hooks'
import { ASK_AGAIN, isLost, isOfContact, noteContact } from './contact.ts'

/** What of a listing is in view: from the one index up to the other. */
export interface View {
  readonly first: number
  readonly end: number
}

interface Named {
  readonly name: string
}

interface Listing<Item> {
  readonly items: readonly Item[]
  /** There is nothing behind them. */
  readonly isOver: boolean
  /** Why it does not go on; null where it does, and where all of the page has that trouble. */
  readonly error: unknown
  /** Asks for the next page, unless it is asked for already, or there is none. */
  more(): void
  /** Looks again at what is in view, and at what has come behind its end. @throws what asking for it throws */
  renew(view: View, signal: AbortSignal): Promise<void>
}

/** A long listing by name that is read page by page, as far as somebody looks. `open`: what comes behind the item. */
export function useListing<Item extends Named>(
  open: (last: Item | undefined, signal: AbortSignal) => AsyncGenerator<Item, void>,
  page: number,
): Listing<Item> {
  const [items, setItems] = useState<readonly Item[]>([])
  const [state, setState] = useState<{ isOver: boolean; error: unknown }>({ isOver: false, error: null })
  const source = useRef<AsyncGenerator<Item, void> | null>(null)
  const known = useRef(items)
  const isAsking = useRef(false)
  const ending = useRef(new AbortController())
  useEffect(() => () => ending.current.abort(), [])
  const put = (next: readonly Item[]) => {
    known.current = next
    setItems(next)
  }
  const more = async () => {
    if (isAsking.current || state.isOver || state.error !== null) return
    isAsking.current = true
    const { signal } = ending.current
    try {
      source.current ??= open(known.current.at(-1), signal)
      const { found, isOver } = await take(source.current, page)
      if (signal.aborted) return
      noteContact(null)
      isAsking.current = false
      put([...known.current, ...found])
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
  const renew = async ({ first, end }: View, signal: AbortSignal) => {
    const before = known.current
    const above = before.slice(0, first)
    // With one that is not in view, so that what has come behind the end is seen.
    const most = Math.max(page, Math.ceil((end - above.length + 1) / page) * page)
    const { found, isOver } = await take(open(above.at(-1), signal), most)
    // What else has come meanwhile, or is on its way, stands: the next look will do.
    if (signal.aborted || isAsking.current || known.current !== before) return
    const behind = isOver ? [] : before.filter(({ name }) => name > (found.at(-1) as Item).name)
    const now = [...above, ...found, ...behind]
    if (now.length !== before.length || now.some(({ name }, i) => name !== before[i]?.name)) put(now)
    if (behind.length > 0) return
    source.current = null
    setState({ isOver, error: null })
  }
  return { items, ...state, more: () => void more(), renew }
}

async function take<Item>(source: AsyncGenerator<Item, void>, most: number) {
  const found: Item[] = []
  while (found.length < most) {
    const next = await source.next()
    if (next.done) return { found, isOver: true }
    found.push(next.value)
  }
  return { found, isOver: false }
}
