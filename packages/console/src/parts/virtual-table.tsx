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
  /** The last row is near. */
  atEnd?(): void
}

/** Of each row, in pixels; the style sheet has the same. */
const ROW = 44
/** Rows above and below those that are seen. */
const BESIDE = 8

/** A table of which only the rows in view are drawn, however long it is. */
export function VirtualTable<Item>({ items, label, heads, kind, keyOf, row, atEnd }: VirtualTableProps<Item>) {
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
  const first = Math.max(0, Math.floor(view.top / ROW) - BESIDE)
  const last = Math.min(items.length, Math.ceil((view.top + view.height) / ROW) + BESIDE)
  useLayoutEffect(() => {
    if (last >= items.length) atEnd?.()
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

/** In the place of rows that are not drawn. */
function Space({ rows }: { rows: number }) {
  return rows > 0 && <tr style={{ height: `${rows * ROW}px` }} />
}
