/** A document that is the same whoever asks. */
export interface StaticDocument {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Made when they are first asked for, and then shared by all answers: a slow reader costs no copy. */
  bytes(): Buffer
}

/** The bytes of a text that is made when it is first asked for. */
export function madeOnce(text: () => string): () => Buffer {
  let made: Buffer | undefined
  return () => {
    made ??= Buffer.from(text())
    return made
  }
}
