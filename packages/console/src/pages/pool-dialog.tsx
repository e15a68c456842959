import { useState } from 'preact/hooks'
import type { Pool, Zaqar } from 'zaqar-client'
import { objectIn } from '../exact-json.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Area, Field } from '../parts/field.tsx'
import { Form } from '../parts/form.tsx'
import { useAction } from '../parts/use-action.ts'
import { text } from '../text.ts'

interface PoolDialogProps {
  readonly zaqar: Zaqar
  /** Null: a new one. */
  readonly pool: Pool | null
  changed(): void
  close(): void
}

/** Makes a pool, or changes one. */
export function PoolDialog({ zaqar, pool, changed, close }: PoolDialogProps) {
  const [name, setName] = useState(pool?.name ?? '')
  const [uri, setUri] = useState(pool?.uri ?? '')
  const [weight, setWeight] = useState(String(pool?.weight ?? 100))
  const [flavor, setFlavor] = useState(pool?.flavor ?? '')
  const [options, setOptions] = useState(JSON.stringify(pool?.options ?? {}, null, 2))
  const words = text.pools
  const action = useAction(async () => {
    const terms = { weight: Number(weight), flavor, options: objectIn(options, words.objectWanted) }
    if (pool === null) await zaqar.putPool(name, { uri, ...terms })
    else await zaqar.updatePool(name, { ...terms, ...(uri !== pool.uri && { uri }) })
    changed()
    close()
  })
  return (
    <Dialog title={pool === null ? words.add : words.edit(pool.name)} close={close}>
      <Form action={action} submit={pool === null ? words.add : text.save}>
        {pool === null && <Field label={words.name} value={name} change={setName} required />}
        <Field label={words.uri} hint={words.uriHint} value={uri} change={setUri} required />
        <Field
          label={words.weight}
          hint={words.weightHint}
          type="number"
          min="0"
          value={weight}
          change={setWeight}
          required
        />
        <Field label={words.flavor} hint={words.flavorHint} value={flavor} change={setFlavor} />
        <Area label={words.options} hint={words.optionsHint} rows={3} value={options} change={setOptions} />
      </Form>
    </Dialog>
  )
}
