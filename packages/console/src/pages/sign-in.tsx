import { useState } from 'preact/hooks'
import type { SignedUrl } from 'zaqar-client'
import { type Account, type Proof, signIn } from '../keystone.ts'
import { Choice, Field } from '../parts/field.tsx'
import { Form } from '../parts/form.tsx'
import { useAction } from '../parts/use-action.ts'
import {
  KEYSTONE,
  openProject,
  openShared,
  openWithCredential,
  openWithToken,
  type Settings,
  type SignedIn,
} from '../session.ts'
import { text } from '../text.ts'

type Way = 'project' | 'password' | 'credential' | 'token' | 'signed'

export function SignIn({ settings, enter }: { settings: Settings; enter(session: SignedIn): void }) {
  const ways: readonly Way[] =
    settings.signIn === 'none' ? ['project', 'signed'] : ['password', 'credential', 'token', 'signed']
  const [way, setWay] = useState<Way>(ways[0] as Way)
  const [account, setAccount] = useState<Account | null>(null)
  return (
    <main class="sign-in">
      <h1>{text.signIn.title}</h1>
      {account === null ? (
        <>
          <Choice
            label={text.signIn.how}
            value={way}
            choices={ways.map((one) => [one, text.signIn.ways[one]])}
            change={setWay}
          />
          {way === 'project' && <ProjectForm enter={enter} />}
          {way === 'password' && <PasswordForm known={setAccount} />}
          {way === 'credential' && <CredentialForm enter={enter} />}
          {way === 'token' && <TokenForm known={setAccount} />}
          {way === 'signed' && <SignedForm enter={enter} />}
        </>
      ) : (
        <ProjectChoice account={account} enter={enter} />
      )}
    </main>
  )
}

function ProjectForm({ enter }: { enter(session: SignedIn): void }) {
  const [project, setProject] = useState('')
  const [roles, setRoles] = useState('admin')
  const words = text.signIn
  const action = useAction(async () => enter(await openProject(project, roles)))
  return (
    <Form action={action} submit={words.open}>
      <Field label={words.project} hint={words.projectHint} value={project} change={setProject} required />
      <Field label={words.roles} hint={words.rolesHint} value={roles} change={setRoles} />
    </Form>
  )
}

function PasswordForm({ known }: { known(account: Account): void }) {
  const [user, setUser] = useState('')
  const [domain, setDomain] = useState('Default')
  const [password, setPassword] = useState('')
  const action = useAction(async () => known(await signIn(KEYSTONE, { password: { user, domain, password } })))
  return (
    <Form action={action} submit={text.signIn.submit}>
      <Field label={text.signIn.user} value={user} change={setUser} autocomplete="username" required />
      <Field label={text.signIn.domain} value={domain} change={setDomain} required />
      <Field
        label={text.signIn.password}
        type="password"
        value={password}
        change={setPassword}
        autocomplete="current-password"
        required
      />
    </Form>
  )
}

function TokenForm({ known }: { known(account: Account): void }) {
  const [token, setToken] = useState('')
  const proof: Proof = { token }
  const action = useAction(async () => known(await signIn(KEYSTONE, proof)))
  return (
    <Form action={action} submit={text.signIn.submit}>
      <Field label={text.signIn.token} type="password" value={token} change={setToken} required />
    </Form>
  )
}

function CredentialForm({ enter }: { enter(session: SignedIn): void }) {
  const [id, setId] = useState('')
  const [secret, setSecret] = useState('')
  const action = useAction(async () => enter(await openWithCredential(id, secret)))
  return (
    <Form action={action} submit={text.signIn.submit}>
      <Field label={text.signIn.credential} value={id} change={setId} required />
      <Field label={text.signIn.secret} type="password" value={secret} change={setSecret} required />
    </Form>
  )
}

function SignedForm({ enter }: { enter(session: SignedIn): void }) {
  const [values, setValues] = useState('')
  const action = useAction(async () => enter(await openShared(readSigned(values))))
  return (
    <Form action={action} submit={text.signIn.open}>
      <Field label={text.signIn.signed} hint={text.signIn.signedHint} value={values} change={setValues} required />
    </Form>
  )
}

function ProjectChoice({ account, enter }: { account: Account; enter(session: SignedIn): void }) {
  const { projects, token } = account
  const [id, setId] = useState(projects[0]?.id ?? '')
  const action = useAction(async () => {
    const project = projects.find((one) => one.id === id)
    if (project !== undefined) enter(await openWithToken(token, project))
  })
  if (projects.length === 0) return <p>{text.signIn.noProject}</p>
  return (
    <Form action={action} submit={text.signIn.open}>
      <Choice
        label={text.signIn.project}
        value={id}
        choices={projects.map(({ id, name }) => [id, name])}
        change={setId}
      />
    </Form>
  )
}

/** As `share` answers them, or as `zaqar signed-url create` writes them. @throws Error with a sentence for people */
function readSigned(written: string): SignedUrl {
  let document: { signed?: SignedUrl } & SignedUrl
  try {
    document = JSON.parse(written)
  } catch {
    throw new Error(text.signIn.noJson)
  }
  const signed = document?.signed ?? document
  const isWhole = (['signature', 'project', 'methods', 'paths', 'expires'] as const).every((key) => signed?.[key])
  if (!isWhole) throw new Error(text.signIn.notSigned)
  return signed
}
