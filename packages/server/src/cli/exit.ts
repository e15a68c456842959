/** What commands end with. docs/command-line.md has the table. */
export const EXIT = {
  done: 0,
  /** It could not be done, or the answer is no. */
  failed: 1,
  /** The command line is not understood. */
  notUnderstood: 2,
  /** Signed values are not accepted (any more); EX_NOPERM of sysexits.h. */
  signatureEnded: 77,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]
