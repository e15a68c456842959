/** Takes a line that tells an operator what happens. It has nothing of what messages hold, and no signature. */
export type Log = (line: string) => void
