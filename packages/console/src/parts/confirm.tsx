import { Dialog } from './dialog.tsx'
import { Form } from './form.tsx'
import { useAction } from './use-action.ts'

interface ConfirmProps {
  readonly title: string
  readonly warning: string
  /** What the button says. */
  readonly submit: string
  act(): Promise<unknown>
  close(): void
}

/** Asks once more. */
export function Confirm({ title, warning, submit, act, close }: ConfirmProps) {
  const action = useAction(async () => {
    await act()
    close()
  })
  return (
    <Dialog title={title} close={close}>
      <Form action={action} submit={submit} tone="danger">
        <p>{warning}</p>
      </Form>
    </Dialog>
  )
}
