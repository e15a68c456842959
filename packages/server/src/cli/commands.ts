import { describeOptions, documentOptions } from '../config/document.ts'
import { UsageError } from '../config/flags.ts'
import { policyUsage, serveUsage } from './usage.ts'
import { readVersion } from './version.ts'

interface Command {
  readonly name: string
  /** What may follow `zaqar`, as the overview shows it. */
  readonly form: string
  readonly purpose: string
  /** What `--help` behind it prints; absent where `--help` means nothing. */
  usage?(): string
  /**
   * Answers the exit code. It loads what is large itself, so that help does not wait for the whole service.
   * @throws UsageError when `argv` is not understood
   */
  run(argv: readonly string[]): number | Promise<number>
}

const commands: readonly Command[] = [
  {
    name: 'serve',
    form: 'serve',
    purpose: 'start the service (zaqar serve --help lists its flags)',
    usage: serveUsage,
    async run(argv) {
      const { serve } = await import('./serve.ts')
      await serve(argv)
      return 0
    },
  },
  {
    name: 'config',
    form: 'config options',
    purpose: 'print all options, with defaults and meaning; --markdown prints them as a document',
    usage: overview,
    run(argv) {
      const form = argv.join(' ')
      if (form === 'options') return print(describeOptions())
      if (form === 'options --markdown') return print(documentOptions())
      throw new UsageError('after config comes options, and perhaps --markdown')
    },
  },
  {
    name: 'policy',
    form: 'policy',
    purpose: 'show who may do what (zaqar policy --help)',
    usage: () => policyUsage,
    async run(argv) {
      const { policyCommand } = await import('./policy.ts')
      const { text, admitted } = policyCommand(argv)
      print(text)
      return admitted ? 0 : 1
    },
  },
  { name: '--version', form: '--version', purpose: 'print the version', run: () => print(`${readVersion()}\n`) },
  { name: '--help', form: '--help', purpose: 'print this', run: () => print(overview()) },
]

/** Does what the command line says and answers the exit code. @throws UsageError when that is not understood */
export async function runCommand([name, ...argv]: readonly string[]): Promise<number> {
  const command = commands.find((one) => one.name === name)
  if (command === undefined)
    throw new UsageError(name === undefined ? 'a command is missing' : `there is no command ${name}`)
  if (argv.includes('--help') && command.usage !== undefined) return print(command.usage())
  return command.run(argv)
}

/** All commands, a line each. */
function overview(): string {
  const width = Math.max(...commands.map(({ form }) => form.length))
  const lines = commands.map(({ form, purpose }) => `  ${form.padEnd(width)}   ${purpose}\n`)
  return `Usage: zaqar COMMAND\n\n${lines.join('')}`
}

/** Answers the exit code. */
function print(text: string): number {
  process.stdout.write(text)
  return 0
}
