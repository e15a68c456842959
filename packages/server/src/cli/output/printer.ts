import { styleText } from 'node:util'
import type { Output, Shell } from '../shell.ts'
import { printable, printableJson } from './printable.ts'
import { type Column, Table } from './table.ts'

/** So many items settle how wide the columns of a table are. */
const FIRST = 1000

/** Prints what a command found: for people, or with `--json` for programs. */
export class Printer {
  readonly #out: Output
  readonly #hasColours: boolean
  readonly #json: boolean

  constructor({ stdout, env }: Pick<Shell, 'stdout' | 'env'>, json = false) {
    this.#out = stdout
    this.#json = json
    // https://no-color.org
    this.#hasColours = stdout.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb'
  }

  /** A table, or one JSON array. */
  async list<Item>(items: AsyncIterable<Item> | Iterable<Item>, columns: readonly Column<Item>[]): Promise<void> {
    if (this.#json) return this.#array(items)
    let table: Table<Item> | null = null
    let first: Item[] = []
    for await (const item of items) {
      if (table !== null) await this.#line(table.row(item))
      else if (first.push(item) === FIRST) {
        table = await this.#begin(columns, first)
        first = []
      }
    }
    if (table === null && first.length > 0) await this.#begin(columns, first)
  }

  /** One thing: its fields in lines, or its JSON. */
  async show(document: object): Promise<void> {
    if (this.#json) return this.#line(printableJson(document))
    const rows = Object.entries(document).filter(([, value]) => value !== undefined)
    const width = Math.max(0, ...rows.map(([name]) => printable(name).length))
    for (const [name, value] of rows) {
      const text = typeof value === 'string' ? printable(value) : printableJson(value)
      await this.#line(`${this.#title(printable(name).padEnd(width))}  ${text}`)
    }
  }

  /** What was done: in lines, or a document. Serves for each item of a stream, too. */
  async tell(document: object, ...lines: readonly string[]): Promise<void> {
    await this.#line(this.#json ? printableJson(document) : lines.map(printable).join('\n'))
  }

  async #array(items: AsyncIterable<unknown> | Iterable<unknown>): Promise<void> {
    let before = '['
    for await (const item of items) {
      await this.#write(`${before}${printableJson(item)}`)
      before = ',\n'
    }
    await this.#write(before === '[' ? '[]\n' : ']\n')
  }

  async #begin<Item>(columns: readonly Column<Item>[], first: readonly Item[]): Promise<Table<Item>> {
    const table = new Table(columns, first, this.#out.isTTY ? (this.#out.columns ?? 80) : null)
    await this.#line(this.#title(table.header()))
    for (const item of first) await this.#line(table.row(item))
    return table
  }

  #title(text: string): string {
    return this.#hasColours ? styleText('bold', text, { validateStream: false }) : text
  }

  #line(text: string): Promise<void> {
    return this.#write(`${text}\n`)
  }

  /** Resolves when more may be written. */
  #write(text: string): Promise<void> {
    return new Promise((resolve) => {
      if (this.#out.write(text)) resolve()
      else this.#out.once('drain', resolve)
    })
  }
}
