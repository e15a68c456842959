import { useState } from 'preact/hooks'
import { Trouble } from './trouble.tsx'
import { useAction } from './use-action.ts'

interface ActionButtonProps {
  readonly label: string
  readonly tone?: 'plain' | 'danger' | 'primary'
  /** Says more than the label does. */
  readonly title?: string | undefined
  readonly isDisabled?: boolean
  /** What is said when it is done, where nothing else shows it. */
  readonly done?: string
  act(): Promise<unknown>
}

/** A button that does something, and says when that failed. */
export function ActionButton({ label, tone, title, isDisabled, done, act }: ActionButtonProps) {
  const [isDone, setDone] = useState(false)
  const action = useAction(async () => {
    setDone(false)
    await act()
    setDone(true)
  })
  return (
    <>
      <button type="button" class={tone} title={title} disabled={isDisabled || action.isRunning} onClick={action.run}>
        {label}
      </button>
      {done !== undefined && <output>{isDone ? done : ''}</output>}
      <Trouble error={action.error} />
    </>
  )
}
