import { useEffect, useRef, useState } from 'preact/hooks'
import { ASK_AGAIN, isLost, isOfContact, noteContact } from './contact.ts'

export interface Loaded<Value> {
  /** The latest; null before the first has come. It stays while it is asked again. */
  readonly value: Value | null
  /** Why the latest try brought nothing; null when it did, and where all of the page has that trouble. */
  readonly error: unknown
  /** Asks again, now. */
  reload(): void
}

/**
 * Asks when the component comes, when `key` changes, and every `seconds` while somebody looks at the page; sooner where
 * nobody has answered. `load` null: there is nothing to ask. `patience`: milliseconds until it asks first, so that what
 * is scrolled past asks nothing.
 */
export function useLoaded<Value>(
  load: ((signal: AbortSignal) => Promise<Value>) | null,
  key: string,
  seconds: number | null = null,
  patience = 0,
): Loaded<Value> {
  const [state, setState] = useState<{ key: string; value: Value | null; error: unknown }>({
    key,
    value: null,
    error: null,
  })
  const [turn, setTurn] = useState(0)
  const latest = useRef(load)
  latest.current = load
  const asks = load !== null
  useEffect(() => {
    if (!asks) return
    const ending = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    let isAnswered = false
    const ask = async () => {
      if (document.visibilityState === 'visible' || !isAnswered) isAnswered = await look()
      const pause = isAnswered ? seconds : ASK_AGAIN
      if (pause !== null && !ending.signal.aborted) timer = setTimeout(ask, pause * 1000)
    }
    const look = async (): Promise<boolean> => {
      try {
        const value = await (latest.current as NonNullable<typeof load>)(ending.signal)
        if (ending.signal.aborted) return true
        noteContact(null)
        setState({ key, value, error: null })
        return true
      } catch (error) {
        if (ending.signal.aborted) return true
        noteContact(error)
        const told = isOfContact(error) ? null : error
        setState((before) => ({ key, value: before.key === key ? before.value : null, error: told }))
        return !isLost(error)
      }
    }
    if (patience === 0) void ask()
    else timer = setTimeout(ask, patience)
    return () => {
      ending.abort()
      clearTimeout(timer)
    }
  }, [key, seconds, patience, turn, asks])
  const isCurrent = state.key === key
  return {
    value: isCurrent ? state.value : null,
    error: isCurrent ? state.error : null,
    reload: () => setTurn((before) => before + 1),
  }
}
