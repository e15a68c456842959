import { text } from '../text.ts'

/** Where the pages of a listing up to the one that is shown begin; the first begins nowhere. */
export type Markers = readonly (string | undefined)[]

interface PageTurnerProps {
  readonly label: string
  readonly markers: Markers
  /** Where the next page begins; undefined: there is none. */
  readonly next: string | undefined
  turnTo(markers: Markers): void
}

/** Leads through a listing page by page, and back by the ways that it came. */
export function PageTurner({ label, markers, next, turnTo }: PageTurnerProps) {
  return (
    <nav class="actions" aria-label={label}>
      <button type="button" disabled={markers.length === 1} onClick={() => turnTo([undefined])}>
        {text.pagesOf.first}
      </button>
      <button type="button" disabled={markers.length === 1} onClick={() => turnTo(markers.slice(0, -1))}>
        {text.pagesOf.back}
      </button>
      <button type="button" disabled={next === undefined} onClick={() => turnTo([...markers, next])}>
        {text.pagesOf.next}
      </button>
    </nav>
  )
}
