/** Lets what is under way come to rest: the storage answers in turns of the event loop. */
export async function settled(): Promise<void> {
  for (let turns = 0; turns < 30; turns++) await new Promise((resolve) => setImmediate(resolve))
}

/** Whether a promise is still waiting after everything under way has come to rest. */
export async function waits(answer: Promise<unknown>): Promise<boolean> {
  let done = false
  const note = () => {
    done = true
  }
  answer.then(note, note)
  await settled()
  return !done
}
