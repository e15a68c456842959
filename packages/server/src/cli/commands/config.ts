import { describeOptions, documentOptions } from '../../config/document.ts'
import type { ZaqarCommand } from '../command.ts'
import type { Shell } from '../shell.ts'

export function defineConfig(command: ZaqarCommand, shell: Shell): void {
  command.description('What the service can be told, by files, variables and flags.')
  command
    .command('options')
    .description('Prints all options, with defaults and meaning.')
    .option('--markdown', 'As a document in Markdown.')
    .examples('zaqar config options', 'zaqar config options --markdown > configuration.md')
    .action(({ markdown }: { markdown?: true }) => {
      shell.stdout.write(markdown ? documentOptions() : describeOptions())
    })
}
