import { useEffect, useRef, useState } from 'preact/hooks'
import { ASK_AGAIN, isLost, isOfContact, noteContact } from './contact.ts'

interface Listing<Item> {
  readonly items: readonly Item[]
  /** There is nothing behind them. */
  readonly isOver: boolean
  /** Why it does not go on; null where it does, and where all of the page has that trouble. */
  readonly error: unknown
  /** Asks for the next page, unless it is asked for already, or there is none. */
  more(): void
}

/** A long listing that is read page by page, as far as somebody looks. `open`: what comes behind the item. */
export function useListing<Item>(
  open: (last: Item | undefined, signal: AbortSignal) => AsyncGenerator<Item, void>,
  page: number,
): Listing<Item> {
  const [items, setItems] = useState<readonly Item[]>([])
  const [state, setState] = useState<{ isOver: boolean; error: unknown }>({ isOver: false, error: null })
  const source = useRef<AsyncGenerator<Item, void> | null>(null)
  const last = useRef<Item | undefined>(undefined)
  const isAsking = useRef(false)
  const ending = useRef(new AbortController())
  useEffect(() => () => ending.current.abort(), [])
  const more = async () => {
    if (isAsking.current || state.isOver || state.error !== null) return
    isAsking.current = true
    const { signal } = ending.current
    try {
      source.current ??= open(last.current, signal)
      const { found, isOver } = await take(source.current, page)
      if (signal.aborted) return
      noteContact(null)
      last.current = found.at(-1) ?? last.current
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
  return { items, ...state, more: () => void more() }
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
