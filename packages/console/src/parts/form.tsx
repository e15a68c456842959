import type { ComponentChildren } from 'preact'
import { Trouble } from './trouble.tsx'
import type { Action } from './use-action.ts'

interface FormProps {
  readonly action: Action
  /** What its button says. */
  readonly submit: string
  readonly tone?: 'primary' | 'danger'
  /** In one line with its fields. */
  readonly isBar?: boolean
  readonly isDisabled?: boolean
  /** What came of it, read out as it changes. */
  readonly result?: string
  readonly children: ComponentChildren
}

/** Fields, the button that runs the action with them, and what came of it. Enter in a field presses the button. */
export function Form({ action, submit, tone = 'primary', isBar, isDisabled, result, children }: FormProps) {
  return (
    <form
      class={isBar ? 'bar' : undefined}
      onSubmit={(event) => {
        event.preventDefault()
        action.run()
      }}
    >
      {children}
      <div class="actions">
        <button type="submit" class={tone} disabled={isDisabled || action.isRunning}>
          {submit}
        </button>
        <output>{result}</output>
      </div>
      <Trouble error={action.error} />
    </form>
  )
}
