import { useEffect, useLayoutEffect, useState } from 'preact/hooks'
import { resetContact } from './contact.ts'
import { ListPage } from './pages/list-page.tsx'
import { PoolsPage } from './pages/pools-page.tsx'
import { QueuePage } from './pages/queue-page.tsx'
import { ServicePage } from './pages/service-page.tsx'
import { SignIn } from './pages/sign-in.tsx'
import { ContactBanner } from './parts/contact-banner.tsx'
import { Choice } from './parts/field.tsx'
import { Trouble } from './parts/trouble.tsx'
import { go, hrefOf, type Route, useRoute } from './route.ts'
import { readSettings, type Session, type Settings } from './session.ts'
import { text } from './text.ts'
import { useLoaded } from './use-loaded.ts'
import { visible } from './visible.ts'

type Theme = 'system' | 'light' | 'dark'
type Section = keyof typeof text.pages

export function App() {
  const settings = useLoaded(readSettings, 'settings')
  const [session, setSession] = useState<Session | null>(null)
  if (session !== null) return <Workplace session={session} leave={() => setSession(null)} />
  return (
    <>
      <header class="corner">
        <ThemeChoice />
      </header>
      <Trouble error={settings.error} />
      {settings.value !== null && <Entrance settings={settings.value} enter={setSession} />}
    </>
  )
}

function Entrance({ settings, enter }: { settings: Settings; enter(session: Session): void }) {
  const { limits } = settings
  return (
    <SignIn
      settings={settings}
      enter={(signedIn) => {
        resetContact()
        enter({ ...signedIn, limits })
      }}
    />
  )
}

function Workplace({ session, leave }: { session: Session; leave(): void }) {
  const route = useRoute()
  const sections = sectionsOf(session)
  const [section = sections[0], name] = route.path
  useTitle(session.shared?.queue ?? name ?? text.pages[section as Section])
  const signOut = () => {
    session.leave()
    leave()
  }
  return (
    <div class="workplace">
      <header class="top">
        <a class="brand" href={hrefOf([])}>
          {text.title}
        </a>
        <nav aria-label={text.main}>
          {sections.map((one) => (
            <a key={one} href={hrefOf([one])} aria-current={one === section ? 'page' : undefined}>
              {text.pages[one]}
            </a>
          ))}
        </nav>
        <span class="muted project">
          <bdi>{text.project(session.project)}</bdi>
        </span>
        <ThemeChoice />
        <button
          type="button"
          onClick={() => {
            signOut()
            // Whoever comes next begins at the beginning.
            go([])
          }}
        >
          {text.leave}
        </button>
      </header>
      <main>
        <ContactBanner session={session} signInAgain={signOut} />
        <Page session={session} route={route} />
      </main>
    </div>
  )
}

/** Tells the pages apart in the history of the browser, and in its tabs. */
function useTitle(page: string | undefined): void {
  useLayoutEffect(() => {
    document.title = page === undefined ? text.title : `${visible(page)} – ${text.title}`
    return () => {
      document.title = text.title
    }
  }, [page])
}

/** Only what somebody may do something with. */
function sectionsOf({ may, shared }: Session): readonly Section[] {
  if (shared !== null) return []
  const sections: Record<Section, boolean> = {
    queues: true,
    topics: true,
    pools: may('pools:get_all') || may('flavors:get_all'),
    service: may('health:get'),
  }
  return (Object.keys(sections) as Section[]).filter((one) => sections[one])
}

function Page({ session, route }: { session: Session; route: Route }) {
  const { shared } = session
  if (shared !== null)
    return <QueuePage key={shared.queue} session={session} kind="queue" name={shared.queue} tab={route.path[2]} />
  const [section = 'queues', name, tab] = route.path
  if (section === 'queues' || section === 'topics') {
    const kind = section === 'queues' ? 'queue' : 'topic'
    if (name === undefined) {
      return <ListPage key={`${kind} ${route.visit}`} session={session} kind={kind} route={route} />
    }
    return <QueuePage key={`${kind} ${name}`} session={session} kind={kind} name={name} tab={tab} />
  }
  const sections = sectionsOf(session)
  if (section === 'pools' && sections.includes(section)) return <PoolsPage session={session} />
  if (section === 'service' && sections.includes(section)) return <ServicePage session={session} />
  return <p>{text.notFound}</p>
}

/** The choice is kept by the browser; it says nothing of anybody. */
function ThemeChoice() {
  const [theme, setTheme] = useState<Theme>(() => (localStorage.getItem('theme') as Theme | null) ?? 'system')
  useEffect(() => {
    document.documentElement.dataset['theme'] = theme
    localStorage.setItem('theme', theme)
  }, [theme])
  const { label, system, light, dark } = text.theme
  return (
    <div class="theme">
      <Choice
        label={label}
        value={theme}
        choices={[
          ['system', system],
          ['light', light],
          ['dark', dark],
        ]}
        change={setTheme}
      />
    </div>
  )
}
