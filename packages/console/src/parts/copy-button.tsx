import { useEffect, useState } from 'preact/hooks'
import { text } from '../text.ts'

/** Puts a text onto the clipboard, and says so. */
export function CopyButton({ value }: { value: string }) {
  const [isCopied, setCopied] = useState(false)
  useEffect(() => setCopied(false), [value])
  return (
    <>
      <button type="button" onClick={() => void copy(value).then(() => setCopied(true))}>
        {text.copy}
      </button>
      <output>{isCopied ? text.copied : ''}</output>
    </>
  )
}

async function copy(value: string): Promise<void> {
  // Pages that came without TLS have none.
  if (navigator.clipboard !== undefined) return navigator.clipboard.writeText(value)
  const area = document.createElement('textarea')
  area.value = value
  // In a dialog, nothing outside of it can be selected.
  const place = document.querySelector('dialog[open]') ?? document.body
  place.append(area)
  area.select()
  document.execCommand('copy')
  area.remove()
}
