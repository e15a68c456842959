/** The one seam through which randomness comes in. Tests hand in one whose answers they know. */
export interface Ids {
  /** A UUID that nobody can guess. */
  randomId(): string
  /** 32 bytes that nobody can guess, in base64. */
  randomKey(): string
  /** At least 0, less than 1, and no secret. */
  randomFraction(): number
}
