import { useState } from 'preact/hooks'
import type { ListedFlavor, Zaqar } from 'zaqar-client'
import { Confirm } from '../parts/confirm.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { Check, Field } from '../parts/field.tsx'
import { Form } from '../parts/form.tsx'
import { Table } from '../parts/table.tsx'
import { Trouble } from '../parts/trouble.tsx'
import { useAction } from '../parts/use-action.ts'
import type { Session } from '../session.ts'
import { text } from '../text.ts'
import { useLoaded } from '../use-loaded.ts'

/** Between two looks, in seconds. */
const LOOK_AGAIN = 10

type Asked = { readonly what: 'new' } | { readonly what: 'edit' | 'delete'; readonly flavor: ListedFlavor }

/** Names that queues ask for, each with the pools that such queues lie on. */
export function Flavors({ session: { zaqar, may }, changed }: { session: Session; changed(): void }) {
  const load = (signal: AbortSignal) => Array.fromAsync(zaqar.flavors({ detailed: true, signal }))
  const { value, error, reload } = useLoaded(load, 'flavors', LOOK_AGAIN)
  const hasChanged = () => {
    reload()
    changed()
  }
  const [asked, setAsked] = useState<Asked | null>(null)
  const close = () => setAsked(null)
  const words = text.flavors
  const rows = (value ?? []).map((flavor) => ({
    key: flavor.name,
    cells: [
      flavor.name,
      flavor.pool_list?.join(', '),
      flavor.capabilities?.join(', '),
      <span key="actions" class="row-actions">
        {may('flavors:update') && (
          <button type="button" class="plain" onClick={() => setAsked({ what: 'edit', flavor })}>
            {text.edit}
          </button>
        )}
        {may('flavors:delete') && (
          <button type="button" class="plain danger" onClick={() => setAsked({ what: 'delete', flavor })}>
            {text.delete}
          </button>
        )}
      </span>,
    ],
  }))
  return (
    <section aria-labelledby="flavors">
      <div class="head">
        <h1 id="flavors">{words.flavors}</h1>
        {may('flavors:create') && (
          <button type="button" class="primary" onClick={() => setAsked({ what: 'new' })}>
            {words.add}
          </button>
        )}
      </div>
      <Trouble error={error} />
      {value === null && error === null && <p class="empty">{text.loading}</p>}
      {value?.length === 0 && <p class="empty">{words.none}</p>}
      {rows.length > 0 && (
        <Table
          label={words.flavors}
          heads={[text.pools.name, text.pools.pools, words.capabilities, text.pools.actions]}
          rows={rows}
        />
      )}
      {asked?.what === 'new' && <FlavorDialog zaqar={zaqar} flavor={null} changed={hasChanged} close={close} />}
      {asked?.what === 'edit' && (
        <FlavorDialog zaqar={zaqar} flavor={asked.flavor} changed={hasChanged} close={close} />
      )}
      {asked?.what === 'delete' && (
        <Confirm
          title={words.delete(asked.flavor.name)}
          warning={words.deleteWarning}
          submit={text.delete}
          act={() => zaqar.deleteFlavor(asked.flavor.name).then(hasChanged)}
          close={close}
        />
      )}
    </section>
  )
}

interface FlavorDialogProps {
  readonly zaqar: Zaqar
  /** Null: a new one. */
  readonly flavor: ListedFlavor | null
  changed(): void
  close(): void
}

function FlavorDialog({ zaqar, flavor, changed, close }: FlavorDialogProps) {
  const pools = useLoaded((signal) => Array.fromAsync(zaqar.pools({ signal })), 'pools')
  const [name, setName] = useState(flavor?.name ?? '')
  const [chosen, setChosen] = useState<readonly string[]>(flavor?.pool_list ?? [])
  const words = text.flavors
  const action = useAction(async () => {
    if (flavor === null) await zaqar.putFlavor(name, chosen)
    else await zaqar.updateFlavor(name, chosen)
    changed()
    close()
  })
  const names = pools.value?.map((pool) => pool.name) ?? []
  return (
    <Dialog title={flavor === null ? words.add : words.edit(flavor.name)} close={close}>
      <Trouble error={pools.error} />
      <Form action={action} submit={flavor === null ? words.add : text.save} isDisabled={chosen.length === 0}>
        {flavor === null && <Field label={text.pools.name} value={name} change={setName} required />}
        <fieldset>
          <legend>{words.ofPools}</legend>
          {pools.value?.length === 0 && <p class="hint">{words.noPools}</p>}
          {names.map((pool) => (
            <Check
              key={pool}
              label={pool}
              isOn={chosen.includes(pool)}
              change={(isOn) => setChosen(names.filter((one) => (one === pool ? isOn : chosen.includes(one))))}
            />
          ))}
        </fieldset>
      </Form>
    </Dialog>
  )
}
