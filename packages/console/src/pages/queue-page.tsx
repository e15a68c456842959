import { useState } from 'preact/hooks'
import type { Stats } from 'zaqar-client'
import { durationOf } from '../duration.ts'
import { DeleteByName } from '../parts/delete-by-name.tsx'
import { Trouble } from '../parts/trouble.tsx'
import { go, hrefOf } from '../route.ts'
import type { Session } from '../session.ts'
import { text } from '../text.ts'
import { useLoaded } from '../use-loaded.ts'
import { ClaimTab } from './claim-tab.tsx'
import { topicOf } from './list-page.tsx'
import { MessagesTab } from './messages-tab.tsx'
import { PostTab } from './post-tab.tsx'
import { SettingsTab } from './settings-tab.tsx'
import { ShareTab } from './share-tab.tsx'
import { SubscriptionsTab } from './subscriptions-tab.tsx'

type Tab = keyof typeof text.queue.tabs

interface QueuePageProps {
  readonly session: Session
  readonly kind: 'queue' | 'topic'
  readonly name: string
  readonly tab: string | undefined
}

/** Between two looks at its figures, in seconds. */
const LOOK_AGAIN = 5

/** One queue or topic: its figures, and a tab for each thing that can be done with it. */
export function QueuePage({ session, kind, name, tab: asked }: QueuePageProps) {
  const topic = topicOf(session, kind, name)
  const tabs = tabsOf(session, kind)
  const tab = tabs.find((one) => one === asked) ?? 'messages'
  const stats = useLoaded((signal) => topic.stats({ signal }), name, session.shared === null ? LOOK_AGAIN : null)
  const props = { session, kind, name, reload: stats.reload }
  return (
    <>
      <h1>
        <bdi>{name}</bdi>
      </h1>
      {session.shared === null && (
        <>
          <Trouble error={stats.error} />
          {stats.value !== null && <Figures stats={stats.value} />}
        </>
      )}
      <nav class="tabs" aria-label={name}>
        {tabs.map((one) => (
          <a key={one} href={hrefOf([`${kind}s`, name, one])} aria-current={one === tab ? 'page' : undefined}>
            {text.queue.tabs[one]}
          </a>
        ))}
      </nav>
      {tab === 'messages' && <MessagesTab {...props} />}
      {tab === 'post' && <PostTab {...props} />}
      {tab === 'claims' && <ClaimTab session={session} name={name} />}
      {tab === 'subscriptions' && <SubscriptionsTab {...props} />}
      {tab === 'share' && <ShareTab session={session} name={name} />}
      {tab === 'settings' && (
        <>
          <SettingsTab {...props} />
          <Removal {...props} />
        </>
      )}
    </>
  )
}

/** Only what somebody may do: a signed URL lists it, and nobody claims from a topic. */
function tabsOf({ shared }: Session, kind: 'queue' | 'topic'): readonly Tab[] {
  if (shared === null) {
    const all = Object.keys(text.queue.tabs) as Tab[]
    return kind === 'queue' ? all : all.filter((tab) => tab !== 'claims' && tab !== 'share')
  }
  const { methods, paths } = shared.signed
  const covers = (path: string, method: string) =>
    methods.includes(method) && paths.some((one) => one.endsWith(`/${path}`))
  const tabs: Tab[] = ['messages']
  if (covers('messages', 'POST')) tabs.push('post')
  if (covers('claims', 'POST')) tabs.push('claims')
  if (covers('subscriptions', 'GET')) tabs.push('subscriptions')
  return tabs
}

function Figures({ stats: { total, free, claimed, oldest, newest } }: { stats: Stats }) {
  const words = text.queue
  const figures: [string, string | number | undefined][] = [
    [words.total, total],
    [words.free, free],
    [words.claimed, claimed],
    [words.oldest, oldest && durationOf(oldest.age)],
    [words.newest, newest && durationOf(newest.age)],
  ]
  return (
    <dl class="figures">
      {figures.map(
        ([name, value]) =>
          value !== undefined && (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ),
      )}
    </dl>
  )
}

export interface TabProps {
  readonly session: Session
  readonly kind: 'queue' | 'topic'
  readonly name: string
  /** Its figures have changed. */
  reload(): void
}

function Removal({ session, kind, name, reload }: TabProps) {
  const [asked, setAsked] = useState<'purge' | 'remove' | null>(null)
  const topic = topicOf(session, kind, name)
  const words = text.queue
  return (
    <div class="actions">
      <button type="button" onClick={() => setAsked('purge')}>
        {words.purge}
      </button>
      <button type="button" class="danger" onClick={() => setAsked('remove')}>
        {words.remove}
      </button>
      {asked === 'purge' && (
        <DeleteByName
          title={words.purge}
          name={name}
          warning={words.purgeWarning}
          remove={() => topic.purge(['messages']).then(reload)}
          close={() => setAsked(null)}
        />
      )}
      {asked === 'remove' && (
        <DeleteByName
          title={words.remove}
          name={name}
          warning={words.removeWarning}
          remove={() => topic.delete().then(() => go([`${kind}s`]))}
          close={() => setAsked(null)}
        />
      )}
    </div>
  )
}
