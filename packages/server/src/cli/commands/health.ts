import type { Health } from 'zaqar-client/http'
import { asksAsAdmin } from '../ask.ts'
import type { ZaqarCommand } from '../command.ts'
import { EXIT } from '../exit.ts'
import type { Shell } from '../shell.ts'

export function defineHealth(command: ZaqarCommand, shell: Shell): void {
  command
    .description('Has the service try its storage, and tells how that went. For operators. Ends with 1 when it failed.')
    .examples('zaqar health', 'zaqar health --json')
  asksAsAdmin(command, shell, async ({ zaqar, printer, flags: { json } }) => {
    const health = await zaqar.health()
    await printer.show(json ? health : readable(health))
    const isWell = health.storage_reachable && Object.values(health.operation_status).every((one) => one.succeeded)
    if (!isWell) shell.exitCode = EXIT.failed
  })
}

function readable({ operation_status, ...rest }: Health): object {
  const operations = Object.entries(operation_status).map(([name, { succeeded, seconds, ref }]) => {
    return [name, succeeded ? `${(seconds * 1000).toFixed(1)} ms` : `failed, reference ${ref}`]
  })
  return { ...rest, ...Object.fromEntries(operations) }
}
