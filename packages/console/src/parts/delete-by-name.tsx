import { useState } from 'preact/hooks'
import { text } from '../text.ts'
import { Dialog } from './dialog.tsx'
import { Field } from './field.tsx'
import { Form } from './form.tsx'
import { useAction } from './use-action.ts'

interface DeleteByNameProps {
  readonly title: string
  /** Has to be typed before anything happens. */
  readonly name: string
  readonly warning: string
  remove(): Promise<unknown>
  close(): void
}

/** Asks for the name once more, since nothing brings back what is deleted. */
export function DeleteByName({ title, name, warning, remove, close }: DeleteByNameProps) {
  const [typed, setTyped] = useState('')
  const action = useAction(async () => {
    await remove()
    close()
  })
  return (
    <Dialog title={title} close={close}>
      <Form action={action} submit={text.delete} tone="danger" isDisabled={typed !== name}>
        <p>{warning}</p>
        <Field label={text.typeName(name)} value={typed} change={setTyped} />
      </Form>
    </Dialog>
  )
}
