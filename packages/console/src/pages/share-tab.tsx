import { useMemo, useState } from 'preact/hooks'
import { type SignedUrl, signedHeaders, Zaqar } from 'zaqar-client'
import { CopyButton } from '../parts/copy-button.tsx'
import { Choice, Field } from '../parts/field.tsx'
import { Form } from '../parts/form.tsx'
import { useAction } from '../parts/use-action.ts'
import { SERVICE, type Session } from '../session.ts'
import { text } from '../text.ts'

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD'] as const
const PATHS = ['messages', 'subscriptions', 'claims'] as const
/** Ten years. */
const MOST_HOURS = '87600'
type Notation = keyof typeof text.share.notations

/** Makes signed URLs with a few clicks, and shows them as what people paste. */
export function ShareTab({ session, name }: { session: Session; name: string }) {
  const [methods, setMethods] = useState<readonly string[]>(['GET'])
  const [paths, setPaths] = useState<readonly (typeof PATHS)[number][]>(['messages'])
  const [hours, setHours] = useState('24')
  const [signed, setSigned] = useState<SignedUrl | null>(null)
  const words = text.share
  const action = useAction(async () => {
    const expires = new Date(Date.now() + Number(hours) * 3_600_000).toISOString().slice(0, 19)
    setSigned(await session.zaqar.queue(name).share({ methods, paths, expires }))
  })
  return (
    <>
      <p class="hint">{words.intro}</p>
      <Form action={action} submit={words.make} isDisabled={methods.length === 0 || paths.length === 0}>
        <Checks label={words.methods} all={METHODS} chosen={methods} change={setMethods} />
        <Checks label={words.paths} all={PATHS} chosen={paths} change={setPaths} />
        <Field label={words.expires} type="number" min="1" max={MOST_HOURS} value={hours} change={setHours} required />
      </Form>
      {signed !== null && <Values queue={name} signed={signed} />}
    </>
  )
}

interface ChecksProps<Value extends string> {
  readonly label: string
  readonly all: readonly Value[]
  readonly chosen: readonly Value[]
  change(chosen: readonly Value[]): void
}

function Checks<Value extends string>({ label, all, chosen, change }: ChecksProps<Value>) {
  return (
    <fieldset>
      <legend>{label}</legend>
      {all.map((one) => (
        <label key={one} class="check">
          <input
            type="checkbox"
            checked={chosen.includes(one)}
            onChange={(event) =>
              change(all.filter((other) => (other === one ? event.currentTarget.checked : chosen.includes(other))))
            }
          />
          {one}
        </label>
      ))}
    </fieldset>
  )
}

function Values({ queue, signed }: { queue: string; signed: SignedUrl }) {
  const [notation, setNotation] = useState<Notation>('curl')
  const words = text.share
  const written = useMemo(() => WRITERS[notation](queue, signed), [notation, queue, signed])
  const notations = Object.entries(words.notations) as [Notation, string][]
  return (
    <section class="panel">
      <Choice label={words.notation} value={notation} choices={notations} change={setNotation} />
      <pre>{written}</pre>
      <div class="actions">
        <CopyButton value={written} />
      </div>
    </section>
  )
}

const WRITERS: Record<Notation, (queue: string, signed: SignedUrl) => string> = {
  curl(queue, signed) {
    // Not that of this page: a listing hides what its own client has posted.
    const { clientId } = new Zaqar({ url: SERVICE })
    const headers = Object.entries(signedHeaders(signed)).map(
      ([name, value]) => `  -H ${quoted(`${name}: ${value}`)} \\\n`,
    )
    return `curl -H 'Client-ID: ${clientId}' \\\n${headers.join('')}  ${quoted(`${SERVICE}/v2/queues/${queue}/messages`)}`
  },
  javascript(queue, signed) {
    return [
      "import { Zaqar } from 'zaqar-client'",
      '',
      `const zaqar = new Zaqar({ url: ${JSON.stringify(SERVICE)}, auth: { signed: ${JSON.stringify(signed, null, 2)} } })`,
      `const queue = zaqar.queue(${JSON.stringify(queue)})`,
    ].join('\n')
  },
  shell(queue, signed) {
    const values = { URL: SERVICE, QUEUE: queue, ...signedHeaders(signed) }
    return Object.entries(values)
      .map(([name, value]) => `export ZAQAR_${name.toUpperCase().replaceAll('-', '_')}=${quoted(value)}`)
      .join('\n')
  },
  json: (queue, signed) => JSON.stringify({ url: SERVICE, queue, signed }, null, 2),
}

/** For a shell. */
function quoted(value: string): string {
  return `'${value.replaceAll("'", "'\\''")}'`
}
