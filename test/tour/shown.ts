import { until } from '../../packages/server/test/support/until.ts'
import type { Shell } from './shell.ts'

/**
 * What a command prints, on one line. What is delivered comes when it comes: a command that only looks is given again
 * until it prints what is wanted, or for long enough.
 */
export async function answerOf(shell: Shell, command: string, wanted: RegExp, looks: RegExp): Promise<string> {
  let output = oneLine(await shell.run(command))
  const look = async () => {
    output = oneLine(await shell.run(command))
    return wanted.test(output)
  }
  if (looks.test(command) && !wanted.test(output)) await until(look).catch(() => undefined)
  return output
}

/** What a page shows below a command; `...` stands for anything. */
export function patternOf(shown: string): RegExp {
  return new RegExp(`^${oneLine(shown).split('...').map(RegExp.escape).join('.*?')}$`)
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}
