import type { Health, StoreHealth } from 'zaqar-client/http'
import { asksAsAdmin } from '../ask.ts'
import type { ZaqarCommand } from '../command.ts'
import { EXIT } from '../exit.ts'
import type { Shell } from '../shell.ts'

/** By the name of each store: those of pools; without pools there is one, which has none. */
type Stores = ReadonlyMap<string, StoreHealth>

export function defineHealth(command: ZaqarCommand, shell: Shell): void {
  command
    .description('Has the service try its storage, and tells how that went. For operators. Ends with 1 when it failed.')
    .examples('zaqar health', 'zaqar health --json')
  asksAsAdmin(command, shell, async ({ connection, printer, flags: { json } }) => {
    const { storesOf, Zaqar } = await import('zaqar-client/http')
    // Seconds are for counting, so they need not stay as they were written.
    const health = await new Zaqar({ ...connection, parse: JSON.parse }).health()
    const stores = storesOf(health)
    await printer.show(json ? health : readable(health, stores))
    if (!isWell(health, stores)) shell.exitCode = EXIT.failed
  })
}

function isWell(health: Health, stores: Stores): boolean {
  if ('catalog_reachable' in health && !health.catalog_reachable) return false
  return [...stores.values()].every(({ storage_reachable, operation_status }) => {
    return storage_reachable && Object.values(operation_status).every(({ succeeded }) => succeeded)
  })
}

function readable(health: Health, stores: Stores): object {
  if (!('catalog_reachable' in health)) {
    const { operation_status, ...rest } = health
    return { ...rest, ...Object.fromEntries(operationsOf(health)) }
  }
  const { catalog_reachable, sockets, process, storage_weakness } = health
  const pools = Object.fromEntries([...stores].map(([name, store]) => [`pool ${name}`, lineOf(store)]))
  return { catalog_reachable, ...pools, sockets, process, storage_weakness }
}

/** Of a pool. */
function lineOf(store: StoreHealth): string {
  if (!store.storage_reachable) return 'not reachable'
  return operationsOf(store)
    .map((operation) => operation.join(' '))
    .join(', ')
}

function operationsOf({ operation_status }: StoreHealth): [name: string, how: string][] {
  return Object.entries(operation_status).map(([name, { succeeded, seconds, ref }]) => {
    return [name, succeeded ? `${(seconds * 1000).toFixed(1)} ms` : `failed, reference ${ref}`]
  })
}
