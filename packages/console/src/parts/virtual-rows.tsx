import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'

interface VirtualRowsProps<Item> {
  readonly items: readonly Item[]
  /** Of each row, in pixels. */
  readonly height: number
  readonly label: string
  keyOf(item: Item): string
  row(item: Item): ComponentChildren
  /** The last row is near. */
  atEnd?(): void
}

/** Above and below what is seen. */
const BESIDE = 8

/** A list of which only the rows in view are drawn, however long it is. */
export function VirtualRows<Item>({ items, height, label, keyOf, row, atEnd }: VirtualRowsProps<Item>) {
  const box = useRef<HTMLDivElement>(null)
  const [view, setView] = useState({ top: 0, height: 0 })
  const look = () => {
    const { scrollTop, clientHeight } = box.current as HTMLDivElement
    setView({ top: scrollTop, height: clientHeight })
  }
  useLayoutEffect(() => {
    look()
    const observer = new ResizeObserver(look)
    observer.observe(box.current as HTMLDivElement)
    return () => observer.disconnect()
  }, [])
  const first = Math.max(0, Math.floor(view.top / height) - BESIDE)
  const last = Math.min(items.length, Math.ceil((view.top + view.height) / height) + BESIDE)
  useLayoutEffect(() => {
    if (view.height > 0 && last >= items.length) atEnd?.()
  })
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: What scrolls must be reached by keyboard.
    <div ref={box} class="rows" tabIndex={0} onScroll={look}>
      <ul aria-label={label} style={{ height: `${items.length * height}px` }}>
        {items.slice(first, last).map((item, i) => (
          <li
            key={keyOf(item)}
            class="row"
            aria-setsize={items.length}
            aria-posinset={first + i + 1}
            style={{ height: `${height}px`, transform: `translateY(${(first + i) * height}px)` }}
          >
            {row(item)}
          </li>
        ))}
      </ul>
    </div>
  )
}
