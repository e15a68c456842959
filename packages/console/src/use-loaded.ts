import { useEffect, useRef, useState } from 'preact/hooks'

export interface Loaded<Value> {
  /** The latest; null before the first has come. It stays while it is asked again. */
  readonly value: Value | null
  /** Why the latest try brought nothing; null when it did. */
  readonly error: unknown
  /** Asks again, now. */
  reload(): void
}

/** Asks when the component comes, when `key` changes, and every `seconds` while somebody looks at the page. */
export function useLoaded<Value>(
  load: (signal: AbortSignal) => Promise<Value>,
  key: string,
  seconds: number | null = null,
): Loaded<Value> {
  const [state, setState] = useState<{ key: string; value: Value | null; error: unknown }>({
    key,
    value: null,
    error: null,
  })
  const [turn, setTurn] = useState(0)
  const latest = useRef(load)
  latest.current = load
  useEffect(() => {
    const ending = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const ask = async () => {
      if (document.visibilityState === 'visible') {
        try {
          const value = await latest.current(ending.signal)
          if (!ending.signal.aborted) setState({ key, value, error: null })
        } catch (error) {
          if (!ending.signal.aborted)
            setState((before) => ({ key, value: before.key === key ? before.value : null, error }))
        }
      }
      if (seconds !== null && !ending.signal.aborted) timer = setTimeout(ask, seconds * 1000)
    }
    void ask()
    return () => {
      ending.abort()
      clearTimeout(timer)
    }
  }, [key, seconds, turn])
  const isCurrent = state.key === key
  return {
    value: isCurrent ? state.value : null,
    error: isCurrent ? state.error : null,
    reload: () => setTurn((before) => before + 1),
  }
}
