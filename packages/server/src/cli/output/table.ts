import { printable } from './printable.ts'
import { cut, widthOf } from './width.ts'

export interface Column<Item> {
  readonly title: string
  readonly isNumber?: boolean
  /** Null: nothing is known. */
  value(item: Item): string | number | null | undefined
}

const GAP = '  '
/** A column is not made narrower than that. */
const NARROWEST = 6

/** Lays items out in columns. The first items settle the widths, so that the rest need not be waited for. */
export class Table<Item> {
  readonly #columns: readonly Column<Item>[]
  readonly #widths: readonly number[]

  /** `width`: that of the terminal; null: lines are as long as they have to be. */
  constructor(columns: readonly Column<Item>[], first: readonly Item[], width: number | null) {
    this.#columns = columns
    const wanted = columns.map((column) =>
      Math.max(widthOf(column.title), ...first.map((item) => widthOf(textOf(column, item)))),
    )
    this.#widths = width === null ? wanted : narrowed(wanted, width - GAP.length * (columns.length - 1))
    this.#isCut = width !== null
  }

  readonly #isCut: boolean

  header(): string {
    return this.#line(this.#columns.map(({ title }) => title))
  }

  row(item: Item): string {
    return this.#line(this.#columns.map((column) => textOf(column, item)))
  }

  #line(cells: readonly string[]): string {
    return cells
      .map((text, index) => {
        const width = this.#widths[index] as number
        const shown = this.#isCut ? cut(text, width) : text
        const blanks = ' '.repeat(Math.max(0, width - widthOf(shown)))
        return this.#columns[index]?.isNumber ? blanks + shown : shown + blanks
      })
      .join(GAP)
      .trimEnd()
  }
}

function textOf<Item>(column: Column<Item>, item: Item): string {
  return printable(String(column.value(item) ?? '-'))
}

/** Takes from the widest columns until they fit, or are as narrow as they may be. */
function narrowed(wanted: readonly number[], room: number): number[] {
  const widths = [...wanted]
  for (;;) {
    const tooMuch = widths.reduce((sum, width) => sum + width, 0) - room
    const widest = Math.max(...widths)
    if (tooMuch <= 0 || widest <= NARROWEST) return widths
    const next = Math.max(NARROWEST, ...widths.filter((width) => width < widest))
    const all = widths.flatMap((width, index) => (width === widest ? [index] : []))
    const less = Math.min(widest - next, Math.ceil(tooMuch / all.length))
    for (const index of all) widths[index] = widest - less
  }
}
