import { useEffect, useState } from 'preact/hooks'

/** Of what somebody types. */
const PAUSE_MS = 250

/** The value once it has not changed for a moment: what is asked for by it is not asked with every key. */
export function useSettled<Value>(value: Value): Value {
  const [settled, setSettled] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), PAUSE_MS)
    return () => clearTimeout(timer)
  }, [value])
  return settled
}
