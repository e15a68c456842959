import type { ZaqarCommand } from '../command.ts'
import { addConfigFlags } from '../config-flags.ts'
import type { Shell } from '../shell.ts'

export function defineServe(command: ZaqarCommand, _shell: Shell): void {
  command
    .description('Starts the service, HTTP and WebSocket on one port. Nothing needs to be configured.')
    .examples(
      'zaqar serve',
      'zaqar serve --port 9999 --data-dir /srv/zaqar',
      'zaqar serve --config-file /etc/zaqar/zaqar.conf',
    )
  const flags = addConfigFlags(command)
  command
    .addHelpText(
      'after',
      '\nWhatever a flag says can be said in a file or by an environment variable, too, and more: see zaqar config options.',
    )
    .action(async () => {
      const { serve } = await import('../serve.ts')
      await serve(flags)
    })
}
