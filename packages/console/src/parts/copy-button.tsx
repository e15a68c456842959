import { useEffect, useState } from 'preact/hooks'
import { text } from '../text.ts'
import { Trouble } from './trouble.tsx'
import { useAction } from './use-action.ts'

/** Puts a text onto the clipboard, and says so. */
export function CopyButton({ value }: { value: string }) {
  const [isCopied, setCopied] = useState(false)
  useEffect(() => setCopied(false), [value])
  const action = useAction(() => copy(value).then(() => setCopied(true)))
  return (
    <>
      <button type="button" onClick={action.run}>
        {text.copy}
      </button>
      <output>{isCopied ? text.copied : ''}</output>
      <Trouble error={action.error} />
    </>
  )
}

/** @throws Error with a sentence for people */
async function copy(value: string): Promise<void> {
  try {
    return await navigator.clipboard.writeText(value)
  } catch {
    // Pages that came without TLS have none, and browsers may refuse it.
  }
  const area = document.createElement('textarea')
  area.value = value
  // In a dialog, nothing outside of it can be selected.
  const place = document.querySelector('dialog[open]') ?? document.body
  place.append(area)
  area.select()
  const isCopied = document.execCommand('copy')
  area.remove()
  if (!isCopied) throw new Error(text.notCopied)
}
