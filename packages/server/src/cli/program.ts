import { CommanderError } from 'commander'
import { addCommonFlags, handDown } from './ask.ts'
import { ZaqarCommand } from './command.ts'
import { commands } from './commands.ts'
import { EXIT } from './exit.ts'
import type { Output, Shell } from './shell.ts'
import { heedUnreadOutput } from './unread-output.ts'
import { readVersion } from './version.ts'

/** Does what the command line after `zaqar` says. Answers the exit code (`EXIT`). */
export async function run(argv: readonly string[], shell: Shell): Promise<number> {
  try {
    await createProgram(shell).parseAsync(argv, { from: 'user' })
    return shell.exitCode
  } catch (error) {
    // Help or the version were asked for, or the help of a command that lacks its next word was shown.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.notUnderstood
    const { describeFailure } = await import('./failure.ts')
    const { message, exitCode } = await describeFailure(error)
    shell.stderr.write(`zaqar: ${message}\n`)
    return exitCode
  }
}

/** All commands by name. What is behind a name is filled in when the command line has it. */
function createProgram(shell: Shell): ZaqarCommand {
  const program = new ZaqarCommand('zaqar')
    .description('Message queues and notifications: the service, and a client of it.')
    .usage('COMMAND [options]')
    .version(readVersion(), '--version', 'Print the version.')
    .helpOption('--help', 'Print this, or with a command what that does.')
    .helpCommand(false)
    // What stands behind the name of a command is for that command.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => shell.stdout.write(text),
      writeErr: (text) => shell.stderr.write(text),
      getOutHelpWidth: () => columnsOf(shell.stdout),
      getErrHelpWidth: () => columnsOf(shell.stderr),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
  addCommonFlags(program).examples('zaqar serve', 'zaqar message post jobs hello', 'zaqar queue --help')
  const rows = new Map(commands.map((row) => [row.name, row]))
  for (const { name, summary, group } of commands) {
    program.command(name).summary(summary).helpGroup(group).helpOption('--help', 'Print this.')
  }
  let goesOn = false
  heedUnreadOutput(shell, () => goesOn)
  program.hook('preAction', (_, command) => handDown(program, command as ZaqarCommand))
  return program.hook('preSubcommand', async (_, command) => {
    const row = rows.get(command.name())
    goesOn = row?.goesOn === true
    await row?.define(command as ZaqarCommand, shell)
  })
}

/** Where it is no terminal, as wide as text is read well. */
function columnsOf({ columns = 100 }: Output): number {
  return columns
}
