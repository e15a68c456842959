import { asks } from '../ask.ts'
import type { ZaqarCommand } from '../command.ts'
import { EXIT } from '../exit.ts'
import type { Shell } from '../shell.ts'

export function definePing(command: ZaqarCommand, shell: Shell): void {
  command
    .description('Asks whether the service and its storage answer. Ends with 75 when one does not.')
    .examples('zaqar ping', 'zaqar ping --url https://zaqar.example:8888')
  asks(command, shell, async ({ zaqar, printer }) => {
    const answers = await zaqar.ping()
    await printer.tell(
      { answers },
      answers ? 'the service answers' : `the service at ${await zaqar.url()} does not answer, or its storage does not`,
    )
    if (!answers) shell.exitCode = EXIT.noAnswer
  })
}
