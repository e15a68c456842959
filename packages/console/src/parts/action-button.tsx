import { Trouble } from './trouble.tsx'
import { useAction } from './use-action.ts'

interface ActionButtonProps {
  readonly label: string
  readonly tone?: 'plain' | 'danger' | 'primary'
  /** Says more than the label does. */
  readonly title?: string | undefined
  readonly isDisabled?: boolean
  act(): Promise<unknown>
}

/** A button that does something, and says when that failed. */
export function ActionButton({ label, tone, title, isDisabled, act }: ActionButtonProps) {
  const action = useAction(act)
  return (
    <>
      <button type="button" class={tone} title={title} disabled={isDisabled || action.isRunning} onClick={action.run}>
        {label}
      </button>
      <Trouble error={action.error} />
    </>
  )
}
