import { InvalidArgumentError } from 'commander'
import type { AgentOptions } from '../agent/agent.ts'
import type { ZaqarCommand } from '../command.ts'
import type { Shell } from '../shell.ts'

interface AgentFlags {
  readonly signedUrl: string
  readonly exec: string
  readonly concurrency: number
  readonly timeout: number
  readonly claimTtl: number
  readonly closing: number
  readonly state?: string
}

export function defineAgent(command: ZaqarCommand, shell: Shell): void {
  command
    .description(
      'Runs a command for each message of a queue, with nothing but signed values, and posts what became of it to another queue. ' +
        'Exit code 75 of the command gives the message back for another try.',
    )
    .requiredOption('--signed-url <FILE>', 'The signed values, and where they are good.')
    .requiredOption('--exec <COMMAND>', 'Run by /bin/sh for each message, which it gets on its standard input.')
    .option('--concurrency <N>', 'Commands that run at the same time.', wholeNumber(1, 100), 1)
    .option('--timeout <SECONDS>', 'What takes longer is killed.', wholeNumber(1, 604_800), 3600)
    .option(
      '--claim-ttl <SECONDS>',
      'So long after a crash of the agent a message is tried again.',
      wholeNumber(60, 43_200),
      120,
    )
    .option('--closing <SECONDS>', 'Time of what runs when the agent is told to end.', wholeNumber(0, 86_400), 60)
    .option('--state <FILE>', 'How far the messages were read, where the signed values do not allow to remove them.')
    .examples(
      `zaqar agent --signed-url jobs.json --exec 'cat >> jobs.txt'`,
      'zaqar agent --signed-url /etc/zaqar-agent.json --exec /usr/local/bin/run-job --concurrency 4 --timeout 600',
    )
    .action(async ({ signedUrl, exec, concurrency, timeout, claimTtl, closing, state }: AgentFlags) => {
      const { runAgent } = await import('../agent/agent.ts')
      const options: AgentOptions = {
        signedUrlFile: signedUrl,
        command: exec,
        concurrency,
        timeoutSeconds: timeout,
        claimTtlSeconds: claimTtl,
        closingSeconds: closing,
        stateFile: state ?? null,
      }
      shell.exitCode = await runAgent(options, (line) => shell.stderr.write(`zaqar: ${line}\n`))
    })
}

function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const number = Number(text)
    if (/^\d+$/.test(text) && number >= least && number <= most) return number
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`)
  }
}
