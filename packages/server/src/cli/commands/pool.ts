import { readFileSync } from 'node:fs'
import type { Metadata, Pool } from 'zaqar-client/http'
import { asksAsAdmin } from '../ask.ts'
import type { ZaqarCommand } from '../command.ts'
import { NotThere } from '../not-there.ts'
import type { Column } from '../output/table.ts'
import type { Shell } from '../shell.ts'
import { UsageError } from '../usage-error.ts'
import { countFrom, objectOf } from '../values.ts'
import { defineDrain, defineRebalance } from './pool-drain.ts'

export function definePool(command: ZaqarCommand, shell: Shell): void {
  command.description('Pools: further stores that queues can be kept in. For operators.')
  defineList(command.command('list'), shell)
  defineShow(command.command('show'), shell)
  defineCreate(command.command('create'), shell)
  defineSet(command.command('set'), shell)
  defineDrain(command.command('drain'), shell)
  defineRebalance(command.command('rebalance'), shell)
  defineDelete(command.command('delete'), shell)
}

const columns: readonly Column<Pool>[] = [
  { title: 'NAME', value: ({ name }) => name },
  { title: 'WEIGHT', isNumber: true, value: ({ weight }) => weight },
  { title: 'FLAVOR', value: ({ flavor }) => flavor },
  { title: 'URI', value: ({ uri }) => uri },
]

function defineList(command: ZaqarCommand, shell: Shell): void {
  command
    .description('Lists the pools.')
    .option('--detailed', 'With their options, in JSON.')
    .examples('zaqar pool list', 'zaqar pool list --detailed --json')
  asksAsAdmin(command, shell, async ({ zaqar, printer }, { detailed = false }: { detailed?: boolean }) => {
    await printer.list(zaqar.pools({ detailed }), columns)
  })
}

function defineShow(command: ZaqarCommand, shell: Shell): void {
  command.description('Shows a pool.').argument('<NAME>').examples('zaqar pool show fast')
  asksAsAdmin(command, shell, async ({ zaqar, printer }, _flags, name: string) => {
    const pool = await zaqar.pool(name, { detailed: true })
    if (pool === null) throw new NotThere(`there is no pool ${name}`)
    await printer.show(pool)
  })
}

interface TermFlags {
  readonly uri?: string
  readonly uriFile?: string
  readonly weight?: number
  readonly flavor?: string
  readonly options?: Metadata
}

function addTerms(command: ZaqarCommand): ZaqarCommand {
  return command
    .option('--uri <URI>', 'Where the store is, without a password: all users of a machine see its command lines.')
    .option('--uri-file <FILE>', 'A file whose first line is the URI.')
    .option('--weight <N>', 'How many of the queues it takes, against other pools.', countFrom(0))
    .option('--flavor <NAME>', 'The flavor that it belongs to.')
    .option('--options <JSON>', 'Options in an object.', objectOf)
}

/** @throws UsageError for a password in an argument */
function termsOf({ uri, uriFile, weight, flavor, options }: TermFlags) {
  if (uri !== undefined && uriFile !== undefined) throw new UsageError('--uri and --uri-file exclude each other')
  if (URL.parse(uri ?? '')?.password) {
    throw new UsageError('a password on the command line is seen by all users of this machine: use --uri-file')
  }
  const found = uriFile === undefined ? uri : readFileSync(uriFile, 'utf8').split('\n', 1)[0]?.trim()
  return {
    ...(found !== undefined && { uri: found }),
    ...(weight !== undefined && { weight }),
    ...(flavor !== undefined && { flavor }),
    ...(options !== undefined && { options }),
  }
}

function defineCreate(command: ZaqarCommand, shell: Shell): void {
  addTerms(command)
    .description('Creates a pool, or replaces one.')
    .argument('<NAME>')
    .examples(
      'zaqar pool create fast --uri sqlite:/srv/fast.db --weight 100',
      'zaqar pool create large --uri-file large.uri --weight 10 --flavor large',
    )
  asksAsAdmin(command, shell, async ({ zaqar, printer }, flags: TermFlags, name: string) => {
    const { uri, weight, ...terms } = termsOf(flags)
    if (uri === undefined) throw new UsageError('where the store is, is missing: --uri or --uri-file')
    if (weight === undefined) throw new UsageError('--weight is missing')
    await zaqar.putPool(name, { uri, weight, ...terms })
    await printer.tell({ created: name }, `pool ${name} is created`)
  })
}

function defineSet(command: ZaqarCommand, shell: Shell): void {
  addTerms(command)
    .description('Changes a pool. What is not named stays.')
    .argument('<NAME>')
    .examples('zaqar pool set fast --weight 50')
  asksAsAdmin(command, shell, async ({ zaqar, printer }, flags: TermFlags, name: string) => {
    await printer.show(await zaqar.updatePool(name, termsOf(flags)))
  })
}

function defineDelete(command: ZaqarCommand, shell: Shell): void {
  command
    .description('Takes pools away; none may have queues any more.')
    .argument('<NAME...>')
    .examples('zaqar pool delete fast')
  asksAsAdmin(command, shell, async ({ zaqar, printer }, _flags, names: readonly string[]) => {
    for (const name of names) await zaqar.deletePool(name)
    await printer.tell({ deleted: names }, `${names.join(', ')} deleted`)
  })
}
