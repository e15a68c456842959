import { useState } from 'preact/hooks'
import { noteContact } from '../contact.ts'

export interface Action {
  /** Runs it, unless it runs already. */
  run(): void
  readonly isRunning: boolean
  /** Why the latest run failed; null when it did not. */
  readonly error: unknown
}

/** Something that a button does. */
export function useAction(act: () => Promise<unknown>): Action {
  const [state, setState] = useState<{ isRunning: boolean; error: unknown }>({ isRunning: false, error: null })
  return {
    ...state,
    run() {
      if (state.isRunning) return
      setState({ isRunning: true, error: null })
      act().then(
        () => setState({ isRunning: false, error: null }),
        (error) => {
          noteContact(error)
          setState({ isRunning: false, error })
        },
      )
    },
  }
}
