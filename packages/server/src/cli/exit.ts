/** What commands end with. docs/command-line.md has the table. */
export const EXIT = {
  done: 0,
  /** It could not be done, or the answer is no. */
  failed: 1,
  /** The command line is not understood. */
  notUnderstood: 2,
  /** What was asked for is not there, or there was nothing to take. */
  notThere: 3,
  /** The service did not answer, or cannot now: another try may help. EX_TEMPFAIL of sysexits.h. */
  noAnswer: 75,
  /** Credentials or signed values are not accepted (any more), or the service does not allow this. EX_NOPERM of sysexits.h. */
  notAllowed: 77,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]
