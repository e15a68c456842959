import type { ComponentChildren } from 'preact'

interface TableRow {
  /** Once in the table. */
  readonly key: string
  /** The first one names the row. */
  readonly cells: readonly ComponentChildren[]
}

interface TableProps {
  readonly label: string
  readonly heads: readonly string[]
  readonly rows: readonly TableRow[]
}

/** Names the columns. `index`: of the row, in a table that does not draw all of them. */
export function Heads({ heads, index }: { heads: readonly string[]; index?: number }) {
  return (
    <thead>
      <tr aria-rowindex={index}>
        {heads.map((head) => (
          <th key={head} scope="col">
            {head}
          </th>
        ))}
      </tr>
    </thead>
  )
}

export function Table({ label, heads, rows }: TableProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: What scrolls must be reached by keyboard.
    <div class="scrolled" tabIndex={0}>
      <table aria-label={label}>
        <Heads heads={heads} />
        <tbody>
          {rows.map(({ key, cells: [name, ...cells] }) => (
            <tr key={key}>
              <th scope="row">
                <bdi>{name}</bdi>
              </th>
              {cells.map((cell, i) => (
                <td key={heads[i + 1]}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
