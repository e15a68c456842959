import { ZaqarError } from 'zaqar-client'
import { text } from '../text.ts'

/** An error, as the service says it, read out at once. Nothing where there is none. */
export function Trouble({ error }: { error: unknown }) {
  if (error === null || error === undefined) return null
  return (
    <p class="trouble" role="alert">
      {sentenceOf(error)}
    </p>
  )
}

function sentenceOf(error: unknown): string {
  if (!(error instanceof ZaqarError)) return error instanceof Error ? error.message : String(error)
  if (error.code === 'unreachable' || error.code === 'timeout') return text.contact.lost
  const { requestId } = error
  return requestId === null ? error.message : `${error.message} (${text.request(requestId)})`
}
