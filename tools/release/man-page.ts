import { ZaqarCommand } from '../../packages/server/src/cli/command.ts'
import { commands } from '../../packages/server/src/cli/commands.ts'
import { run } from '../../packages/server/src/cli/program.ts'
import { processShell } from '../../packages/server/src/cli/shell.ts'

/** What fits into a terminal of 80 columns beside the margin. */
const COLUMNS = 72

/** The page `zaqar(1)`, in the language of man(7): what `--help` says behind each command. `date`: as YYYY-MM-DD. */
export async function manPage(version: string, date: string): Promise<string> {
  const sections: string[] = []
  for (const words of await allCommands()) {
    sections.push(`.SS zaqar ${words.join(' ')}`, ...asItIs(await helpOf(words)))
  }
  return `${[
    `.TH ZAQAR 1 ${date} "Zaqar ${version}"`,
    '.SH NAME',
    'zaqar \\- message queues and notifications: the service, and a client of it',
    '.SH SYNOPSIS',
    '.B zaqar',
    '.I COMMAND',
    '[options]',
    '.SH DESCRIPTION',
    ...asItIs(await helpOf([])),
    '.SH COMMANDS',
    ...sections,
    '.SH FILES',
    '.TP',
    '.I /etc/zaqar/zaqar.conf',
    'Configuration of the service that systemd runs.',
    '.TP',
    '.I /var/lib/zaqar',
    'Its messages, and its key for signed URLs.',
    '.SH SEE ALSO',
    'The pages in',
    '.IR /usr/share/doc/zaqar .',
  ].join('\n')}\n`
}

/** In the order of the overview, and each followed by what may stand behind it. */
async function allCommands(): Promise<string[][]> {
  const all: string[][] = []
  for (const { name, define } of commands) {
    const command = new ZaqarCommand(name)
    await define(command, processShell())
    const further = command.createHelp().visibleCommands(command)
    all.push([name], ...further.map((one) => [name, one.name()]).filter(([, second]) => second !== 'help'))
  }
  return all
}

async function helpOf(words: readonly string[]): Promise<string> {
  let help = ''
  const stdout = {
    columns: COLUMNS,
    write: (text: string) => {
      help += text
      return true
    },
    once: () => {},
    on: () => {},
  }
  await run([...words, '--help'], { ...processShell(), stdout })
  return help.trimEnd()
}

/** Lines that stay as they are, spaces included. */
function asItIs(text: string): string[] {
  const escaped = text.replaceAll('\\', '\\e').replaceAll('-', '\\-')
  return ['.nf', ...escaped.split('\n').map((line) => line.replace(/^[.']/, '\\&$&')), '.fi']
}
