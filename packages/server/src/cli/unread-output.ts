import { EXIT } from './exit.ts'
import type { Shell } from './shell.ts'

/**
 * Ends a command when its output cannot be written: quietly where whoever reads has seen enough, as `head` has. One that
 * `goesOn`, as the service does, needs no reader. What cannot be said on standard error is not said.
 */
export function heedUnreadOutput({ stdout, stderr }: Shell, goesOn: () => boolean): void {
  stderr.on('error', () => {})
  stdout.on('error', ({ code, message }) => {
    if (goesOn()) return
    if (code !== 'EPIPE') stderr.write(`zaqar: the output cannot be written: ${message}\n`)
    process.exit(code === 'EPIPE' ? EXIT.done : EXIT.failed)
  })
}
