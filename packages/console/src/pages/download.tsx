import { useEffect, useRef, useState } from 'preact/hooks'
import type { ListOptions } from 'zaqar-client'
import { Trouble } from '../parts/trouble.tsx'
import { useAction } from '../parts/use-action.ts'
import { text } from '../text.ts'
import type { Source } from './list-page.tsx'

interface DownloadProps {
  readonly topic: Source
  /** Marker of the page that is shown. */
  readonly from: string | undefined
  readonly terms: Pick<ListOptions, 'limit' | 'includeClaimed' | 'includeDelayed'>
  readonly name: string
  readonly isDisabled: boolean
}

/** Of one file: more would be much for the memory of a page. */
const MOST = 100_000

/** Messages from the page that is shown on as JSON lines, which can be posted again. */
export function Download({ topic, from, terms, name, isDisabled }: DownloadProps) {
  const [count, setCount] = useState<number | null>(null)
  const ending = useRef<AbortController | null>(null)
  useEffect(() => () => ending.current?.abort(), [])
  const words = text.download
  const action = useAction(async () => {
    const end = new AbortController()
    ending.current = end
    const lines: string[] = []
    setCount(0)
    for (let marker = from; !end.signal.aborted && lines.length < MOST; ) {
      const page = await topic.list({ ...terms, marker })
      lines.push(...page.messages.map((message) => `${JSON.stringify(message)}\n`))
      setCount(lines.length)
      if (page.messages.length === 0) break
      marker = page.marker
    }
    keep(`${name}.jsonl`, lines)
  })
  return (
    <>
      {action.isRunning ? (
        <button type="button" onClick={() => ending.current?.abort()}>
          {words.stop}
        </button>
      ) : (
        <button type="button" disabled={isDisabled} onClick={action.run}>
          {words.start}
        </button>
      )}
      <output>{count === null ? '' : words.count(count, count >= MOST)}</output>
      <Trouble error={action.error} />
    </>
  )
}

/** Lets the browser keep the lines as a file. */
function keep(name: string, lines: readonly string[]): void {
  const url = URL.createObjectURL(new Blob(lines as string[], { type: 'application/jsonl' }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  URL.revokeObjectURL(url)
}
