import type { ComponentChildren } from 'preact'
import { useId } from 'preact/hooks'

interface FieldProps {
  readonly label: string
  readonly type?: 'text' | 'password' | 'search' | 'number'
  readonly placeholder?: string
  readonly required?: boolean
  readonly min?: string
  readonly max?: string
  readonly maxLength?: number
  readonly autocomplete?: string
  readonly value: string
  readonly hint?: string
  readonly change: (value: string) => void
}

/** A line to fill in, with its name and what may stand there. */
export function Field({ label, type = 'text', value, hint, change, ...input }: FieldProps) {
  return (
    <Labelled label={label} hint={hint}>
      {(id, described) => (
        <input
          id={id}
          // The types of Preact know one kind of input at a time.
          type={type as 'text'}
          aria-describedby={described}
          value={value}
          autocomplete="off"
          spellcheck={false}
          {...input}
          onInput={(event) => change(event.currentTarget.value)}
        />
      )}
    </Labelled>
  )
}

interface AreaProps {
  readonly label: string
  readonly value: string
  readonly hint?: string | undefined
  readonly rows?: number
  readonly change: (value: string) => void
}

/** The same for text of several lines. */
export function Area({ label, value, hint, rows = 8, change }: AreaProps) {
  return (
    <Labelled label={label} hint={hint}>
      {(id, described) => (
        <textarea
          id={id}
          aria-describedby={described}
          rows={rows}
          spellcheck={false}
          value={value}
          onInput={(event) => change(event.currentTarget.value)}
        />
      )}
    </Labelled>
  )
}

interface ChoiceProps<Value extends string> {
  readonly label: string
  readonly value: Value
  readonly choices: readonly (readonly [Value, string])[]
  readonly hint?: string | undefined
  readonly change: (value: Value) => void
}

export function Choice<Value extends string>({ label, value, choices, hint, change }: ChoiceProps<Value>) {
  return (
    <Labelled label={label} hint={hint}>
      {(id, described) => (
        <select
          id={id}
          aria-describedby={described}
          value={value}
          onChange={(event) => change(event.currentTarget.value as Value)}
        >
          {choices.map(([one, name]) => (
            <option key={one} value={one}>
              {name}
            </option>
          ))}
        </select>
      )}
    </Labelled>
  )
}

export function FileField({ label, change }: { label: string; change(file: File | null): void }) {
  return (
    <Labelled label={label} hint={undefined}>
      {(id) => <input id={id} type="file" onChange={(event) => change(event.currentTarget.files?.[0] ?? null)} />}
    </Labelled>
  )
}

interface CheckProps {
  readonly label: string
  readonly isOn: boolean
  readonly change: (isOn: boolean) => void
}

export function Check({ label, isOn, change }: CheckProps) {
  return (
    <label class="check">
      <input type="checkbox" checked={isOn} onChange={(event) => change(event.currentTarget.checked)} />
      {label}
    </label>
  )
}

interface LabelledProps {
  readonly label: string
  readonly hint: string | undefined
  readonly children: (id: string, described: string | undefined) => ComponentChildren
}

function Labelled({ label, hint, children }: LabelledProps) {
  const id = useId()
  const described = hint === undefined ? undefined : `${id}-hint`
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children(id, described)}
      {hint !== undefined && (
        <p id={described} class="hint">
          {hint}
        </p>
      )}
    </div>
  )
}
