import type { ComponentChildren } from 'preact'
import { useId, useLayoutEffect, useRef } from 'preact/hooks'
import { text } from '../text.ts'

/**
 * What is asked before all else, beginning in its first field. Escape, and the button, close it; the focus goes back to
 * where it came from.
 */
export function Dialog({ title, close, children }: { title: string; close(): void; children: ComponentChildren }) {
  const dialog = useRef<HTMLDialogElement>(null)
  const heading = useId()
  useLayoutEffect(() => {
    const element = dialog.current as HTMLDialogElement
    element.showModal()
    element.querySelector<HTMLElement>('input, select, textarea')?.focus()
    // The browser gives the focus back to what had it, when it is closed rather than taken away.
    return () => element.close()
  }, [])
  return (
    <dialog ref={dialog} aria-labelledby={heading} onClose={close}>
      <header class="dialog-head">
        <h2 id={heading}>{title}</h2>
        <button type="button" class="plain" onClick={close} aria-label={text.close}>
          ×
        </button>
      </header>
      {children}
    </dialog>
  )
}
