import type { ComponentChildren } from 'preact'
import type { Message } from 'zaqar-client'
import { durationOf } from '../duration.ts'
import { text } from '../text.ts'
import { JsonTree } from './json-tree.tsx'

interface MessageItemProps {
  readonly message: Pick<Message, 'id' | 'href' | 'age' | 'ttl' | 'body'>
  /** Whether it is chosen, where it can be. */
  readonly isChosen?: boolean
  choose?(isChosen: boolean): void
  /** What is looked for in it. */
  readonly find?: string
  /** What can be done with it. */
  readonly children?: ComponentChildren
}

/** A message: what is known of it, and its body. */
export function MessageItem({ message, isChosen, choose, find, children }: MessageItemProps) {
  const { id, href, age, ttl, body } = message
  const claim = claimIn(href)
  const words = text.messages
  return (
    <li class="message">
      <div class="message-head">
        {choose !== undefined && (
          <input
            type="checkbox"
            aria-label={words.choose(id)}
            checked={isChosen}
            onChange={(event) => choose(event.currentTarget.checked)}
          />
        )}
        <code>{id}</code>
        <span>
          {words.age} {durationOf(age)}
        </span>
        <span>
          {words.left} {durationOf(ttl - age)}
        </span>
        {claim !== undefined && (
          <span class="badge">
            {words.held} <code>{claim}</code>
          </span>
        )}
        <span class="message-actions">{children}</span>
      </div>
      <JsonTree value={body} find={find} />
    </li>
  )
}

/** Of the claim that holds it. */
export function claimIn(href: string): string | undefined {
  return new URL(href, 'http://service').searchParams.get('claim_id') ?? undefined
}
