import type { ListedFlavor } from 'zaqar-client/http'
import { asksAsAdmin } from '../ask.ts'
import type { ZaqarCommand } from '../command.ts'
import { NotThere } from '../not-there.ts'
import type { Column } from '../output/table.ts'
import type { Shell } from '../shell.ts'

export function defineFlavor(command: ZaqarCommand, shell: Shell): void {
  command.description('Flavors: names for groups of pools, which the metadata of a queue can ask for. For operators.')
  defineList(command.command('list'), shell)
  defineShow(command.command('show'), shell)
  defineCreate(command.command('create'), shell)
  defineSet(command.command('set'), shell)
  defineDelete(command.command('delete'), shell)
}

const columns: readonly Column<ListedFlavor>[] = [
  { title: 'NAME', value: ({ name }) => name },
  { title: 'POOLS', value: ({ pool_list }) => pool_list?.join(' ') },
  { title: 'CAPABILITIES', value: ({ capabilities }) => capabilities?.join(' ') },
]

function defineList(command: ZaqarCommand, shell: Shell): void {
  command.description('Lists the flavors.').examples('zaqar flavor list')
  asksAsAdmin(command, shell, async ({ zaqar, printer }) => {
    await printer.list(zaqar.flavors({ detailed: true }), columns)
  })
}

function defineShow(command: ZaqarCommand, shell: Shell): void {
  command.description('Shows a flavor.').argument('<NAME>').examples('zaqar flavor show large')
  asksAsAdmin(command, shell, async ({ zaqar, printer }, _flags, name: string) => {
    const flavor = await zaqar.flavor(name)
    if (flavor === null) throw new NotThere(`there is no flavor ${name}`)
    await printer.show(flavor)
  })
}

function defineCreate(command: ZaqarCommand, shell: Shell): void {
  command
    .description('Creates a flavor of pools, or replaces one.')
    .argument('<NAME>')
    .argument('<POOL...>')
    .examples('zaqar flavor create large pool-1 pool-2')
  asksAsAdmin(command, shell, async ({ zaqar, printer }, _flags, name: string, pools: readonly string[]) => {
    await zaqar.putFlavor(name, pools)
    await printer.tell({ created: name }, `flavor ${name} is created`)
  })
}

function defineSet(command: ZaqarCommand, shell: Shell): void {
  command
    .description('Gives a flavor other pools.')
    .argument('<NAME>')
    .argument('<POOL...>')
    .examples('zaqar flavor set large pool-2 pool-3')
  asksAsAdmin(command, shell, async ({ zaqar, printer }, _flags, name: string, pools: readonly string[]) => {
    await printer.show(await zaqar.updateFlavor(name, pools))
  })
}

function defineDelete(command: ZaqarCommand, shell: Shell): void {
  command.description('Takes flavors away.').argument('<NAME...>').examples('zaqar flavor delete large')
  asksAsAdmin(command, shell, async ({ zaqar, printer }, _flags, names: readonly string[]) => {
    for (const name of names) await zaqar.deleteFlavor(name)
    await printer.tell({ deleted: names }, `${names.join(', ')} deleted`)
  })
}
