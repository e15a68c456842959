/** A document that is the same for everybody, whoever asks. */
export interface StaticDocument {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** It is made when it is first asked for. */
  text(): string
}
