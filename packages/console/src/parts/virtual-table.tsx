import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { Heads } from './table.tsx'

interface VirtualTableProps<Item> {
  readonly items: readonly Item[]
  readonly label: string
  readonly heads: readonly string[]
  /** Says which columns there are, for the style sheet. */
  readonly kind: string
  keyOf(item: Item): string
  /** Its cells. */
  row(item: Item): ComponentChildren
  /** Rows from `first` up to `end` are drawn. */
  drawn(first: number, end: number): void
  /** The last row is near. */
  atEnd(): void
}

/** Of each row, in pixels; the style sheet has the same. */
const ROW = 44
/** Rows above and below those that are seen. */
const BESIDE = 8

/** A table of which only the rows in view are drawn, however long it is. */
export function VirtualTable<Item>({ items, label, heads, kind, keyOf, row, drawn, atEnd }: VirtualTableProps<Item>) {
  const box = useRef<HTMLDivElement>(null)
  const [view, setView] = useState({ top: 0, height: 0 })
  const look = () => {
    const { scrollTop: top, clientHeight: height } = box.current as HTMLDivElement
    setView((before) => (before.top === top && before.height === height ? before : { top, height }))
  }
  useLayoutEffect(() => {
    look()
    const observer = new ResizeObserver(look)
    observer.observe(box.current as HTMLDivElement)
    return () => observer.disconnect()
  }, [])
  const shown = useRef(items)
  // What comes or goes above moves nothing that is in view.
  useLayoutEffect(() => {
    const moved = view.top > 0 ? shiftOf(shown.current, items, { from: view.top / ROW, keyOf }) : 0
    shown.current = items
    if (moved === 0) return
    ;(box.current as HTMLDivElement).scrollTop += moved * ROW
    look()
  }, [items])
  const first = Math.max(0, Math.floor(view.top / ROW) - BESIDE)
  const last = Math.min(items.length, Math.ceil((view.top + view.height) / ROW) + BESIDE)
  useLayoutEffect(() => {
    drawn(first, last)
    if (last >= items.length) atEnd()
  })
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: What scrolls must be reached by keyboard.
    <div ref={box} class="scrolled" tabIndex={0} onScroll={look}>
      <table class={kind} aria-label={label} aria-rowcount={items.length + 1}>
        <Heads heads={heads} index={1} />
        <tbody>
          <Space rows={first} />
          {items.slice(first, last).map((item, i) => (
            <tr key={keyOf(item)} aria-rowindex={first + i + 2}>
              {row(item)}
            </tr>
          ))}
          <Space rows={items.length - last} />
        </tbody>
      </table>
    </div>
  )
}

/** How many rows further down what was there from the index `from` is now. */
function shiftOf<Item>(
  before: readonly Item[],
  now: readonly Item[],
  { from, keyOf }: { from: number; keyOf(item: Item): string },
): number {
  if (before === now) return 0
  const places = new Map(now.map((item, i) => [keyOf(item), i]))
  const stays = before.findIndex((item, i) => i >= from && places.has(keyOf(item)))
  return stays < 0 ? 0 : (places.get(keyOf(before[stays] as Item)) as number) - stays
}

/** In the place of rows that are not drawn. */
function Space({ rows }: { rows: number }) {
  return rows > 0 && <tr style={{ height: `${rows * ROW}px` }} />
}
