import type { ComponentChildren } from 'preact'

interface TableProps {
  readonly heads: readonly string[]
  /** The first cell names the row, once in the table. */
  readonly rows: readonly (readonly [name: string, ...cells: ComponentChildren[]])[]
}

export function Table({ heads, rows }: TableProps) {
  return (
    <table>
      <thead>
        <tr>
          {heads.map((head) => (
            <th key={head} scope="col">
              {head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(([name, ...cells]) => (
          <tr key={name}>
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
  )
}
