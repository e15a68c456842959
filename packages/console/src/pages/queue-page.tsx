import { useState } from 'preact/hooks'
import { DeleteByName } from '../parts/delete-by-name.tsx'
import { Trouble } from '../parts/trouble.tsx'
import { go, hrefOf } from '../route.ts'
import type { Session } from '../session.ts'
import { text } from '../text.ts'
import { useLoaded } from '../use-loaded.ts'
import { ClaimTab } from './claim-tab.tsx'
import { Figures } from './figures.tsx'
import { topicOf } from './list-page.tsx'
import { MessagesTab } from './messages-tab.tsx'
import { PostTab } from './post-tab.tsx'
import { SettingsTab } from './settings-tab.tsx'
import { ShareTab } from './share-tab.tsx'
import { SubscriptionsTab } from './subscriptions-tab.tsx'

type Tab = keyof typeof text.queue.tabs
type Kind = 'queue' | 'topic'

interface QueuePageProps {
  readonly session: Session
  readonly kind: Kind
  readonly name: string
  readonly tab: string | undefined
}

/** Between two looks at its figures, in seconds. */
const LOOK_AGAIN = 5

/** One queue or topic: its figures, and a tab for each thing that can be done with it. */
export function QueuePage({ session, kind, name, tab: asked }: QueuePageProps) {
  const topic = topicOf(session, kind, name)
  const tabs = tabsOf(session, kind)
  const tab = tabs.find((one) => one === asked) ?? tabs[0]
  const count = (signal: AbortSignal) => topic.stats({ detailed: true, signal })
  const stats = useLoaded(session.may(`${kind}s:stats`) ? count : null, name, LOOK_AGAIN)
  const props = { session, kind, name, reload: stats.reload }
  return (
    <>
      <h1>
        <bdi>{name}</bdi>
      </h1>
      <Trouble error={stats.error} />
      {stats.value !== null && <Figures stats={stats.value} />}
      <nav class="tabs" aria-label={name}>
        {tabs.map((one) => (
          <a key={one} href={hrefOf([`${kind}s`, name, one])} aria-current={one === tab ? 'page' : undefined}>
            {text.queue.tabs[one]}
          </a>
        ))}
      </nav>
      {tab === undefined && <p class="empty">{text.queue.nothing}</p>}
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

/** Only what somebody may do. Nobody claims from a topic, nor signs URLs of one. */
function tabsOf({ may }: Session, kind: Kind): readonly Tab[] {
  const isQueue = kind === 'queue'
  const tabs: Record<Tab, boolean> = {
    messages: may('messages:get_all'),
    post: may('messages:create'),
    claims: isQueue && (may('claims:create') || may('claims:get') || may('claims:get_all')),
    subscriptions: may('subscription:get_all'),
    share: isQueue && may('queues:share'),
    settings: may(`${kind}s:get`),
  }
  return (Object.keys(tabs) as Tab[]).filter((tab) => tabs[tab])
}

export interface TabProps {
  readonly session: Session
  readonly kind: Kind
  readonly name: string
  /** Its figures have changed. */
  reload(): void
}

function Removal({ session, kind, name, reload }: TabProps) {
  const [asked, setAsked] = useState<'purge' | 'remove' | null>(null)
  const topic = topicOf(session, kind, name)
  const words = kind === 'queue' ? text.queue : { ...text.queue, ...text.topic }
  return (
    <div class="actions">
      {session.may(`${kind}s:purge`) && (
        <button type="button" onClick={() => setAsked('purge')}>
          {words.purge}
        </button>
      )}
      {session.may(`${kind}s:delete`) && (
        <button type="button" class="danger" onClick={() => setAsked('remove')}>
          {words.remove}
        </button>
      )}
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
