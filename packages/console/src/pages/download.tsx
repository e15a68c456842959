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

/** Of one file. */
const MOST = 100_000
const MOST_BYTES = 1_000_000_000

/** Messages from the page that is shown on as JSON lines, which can be posted again. */
export function Download({ topic, from, terms, name, isDisabled }: DownloadProps) {
  const [taken, setTaken] = useState<{ count: number; isCut: boolean } | null>(null)
  const isEnough = useRef(false)
  const isLeft = useRef(false)
  useEffect(
    () => () => {
      isLeft.current = true
    },
    [],
  )
  const words = text.download
  const action = useAction(async () => {
    isEnough.current = false
    // A browser keeps these where it has room, not in the memory of the page.
    const parts: Blob[] = []
    let [count, bytes, isOver, marker] = [0, 0, false, from]
    while (!isOver && !isEnough.current && count < MOST && bytes < MOST_BYTES) {
      const page = await topic.list({ ...terms, marker })
      // Whoever has left wants no file.
      if (isLeft.current) return
      const part = new Blob(page.messages.map((message) => `${JSON.stringify(message)}\n`))
      parts.push(part)
      bytes += part.size
      count += page.messages.length
      isOver = page.messages.length === 0
      marker = page.marker
      setTaken({ count, isCut: false })
    }
    setTaken({ count, isCut: !isOver })
    keep(`${name}.jsonl`, parts)
  })
  return (
    <>
      {action.isRunning ? (
        <button
          type="button"
          onClick={() => {
            isEnough.current = true
          }}
        >
          {words.stop}
        </button>
      ) : (
        <button type="button" disabled={isDisabled} onClick={action.run}>
          {words.start}
        </button>
      )}
      <output>{taken === null ? '' : words.count(taken.count, taken.isCut)}</output>
      <Trouble error={action.error} />
    </>
  )
}

/** Lets the browser keep the parts as one file. */
function keep(name: string, parts: Blob[]): void {
  const url = URL.createObjectURL(new Blob(parts, { type: 'application/jsonl' }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  URL.revokeObjectURL(url)
}
