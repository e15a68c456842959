/** What can be done with queues and with topics. */
import type { ListedQueue, ListQueuesOptions, Metadata, MetadataChange, Stats, Topic, Zaqar } from 'zaqar-client/http'
import { asks } from '../ask.ts'
import type { ZaqarCommand } from '../command.ts'
import { limited } from '../limited.ts'
import { duration } from '../output/duration.ts'
import { printableJson } from '../output/printable.ts'
import type { Column } from '../output/table.ts'
import type { Shell } from '../shell.ts'
import { collected, countFrom, objectOf, pairOf } from '../values.ts'

/** Queues, or topics. */
export interface Collection {
  readonly noun: 'queue' | 'topic'
  /** A name for examples. */
  readonly example: string
  list(zaqar: Zaqar, options: ListQueuesOptions): AsyncGenerator<ListedQueue, void>
  open(zaqar: Zaqar, name: string): Topic
}

type Pairs = readonly [key: string, value: unknown][]

export function defineList(command: ZaqarCommand, shell: Shell, { noun, example, list }: Collection): void {
  interface Flags {
    readonly name?: string
    readonly metadata?: Pairs
    readonly detailed?: true
    readonly limit?: number
  }
  command
    .description(`Lists the ${noun}s of the project, by name.`)
    .option('--name <TEXT>', 'Only those whose names hold this.')
    .option('--detailed', 'With their metadata.')
    .option('--limit <N>', 'No more than so many.', countFrom(1))
    .examples(`zaqar ${noun} list`, `zaqar ${noun} list --name ${example} --detailed --json`)
  asks(command, shell, async ({ zaqar, printer }, { name, metadata, detailed, limit }: Flags) => {
    const queues = list(zaqar, {
      ...(name !== undefined && { name }),
      ...(metadata !== undefined && { metadata: Object.fromEntries(metadata) as Record<string, string> }),
      ...(detailed && { detailed }),
    })
    await printer.list(limited(queues, limit), detailed ? [nameColumn, metadataColumn] : [nameColumn])
  })
}

const nameColumn: Column<ListedQueue> = { title: 'NAME', value: ({ name }) => name }
const metadataColumn: Column<ListedQueue> = {
  title: 'METADATA',
  value: ({ metadata = {} }) => printableJson(metadata),
}

export function defineCreate(command: ZaqarCommand, shell: Shell, { noun, example, open }: Collection): void {
  command
    .description(`Creates a ${noun}, and says whether it did: one that is there already stays as it is.`)
    .argument('<NAME>')
    .argument('[KEY=VALUE...]', 'Metadata; a value is JSON, or else text.', collected(pairOf))
    .option('--metadata <JSON>', 'Metadata in an object.', objectOf)
    .examples(
      `zaqar ${noun} create ${example}`,
      `zaqar ${noun} create ${example} team=billing _default_message_ttl=86400`,
    )
  asks(command, shell, async ({ zaqar, printer }, flags: { metadata?: Metadata }, name: string, pairs: Pairs = []) => {
    const created = await open(zaqar, name).create({ ...flags.metadata, ...Object.fromEntries(pairs) })
    await printer.tell({ name, created }, `${noun} ${name} ${created ? 'is created' : 'was there already'}`)
  })
}

export function defineShow(command: ZaqarCommand, shell: Shell, { noun, example, open }: Collection): void {
  command
    .description(`Shows the metadata of a ${noun}. What begins with _ has a meaning for the service.`)
    .argument('<NAME>')
    .examples(`zaqar ${noun} show ${example}`)
  asks(command, shell, async ({ zaqar, printer }, _flags, name: string) => {
    await printer.show(await open(zaqar, name).metadata())
  })
}

export function defineSet(command: ZaqarCommand, shell: Shell, { noun, example, open }: Collection): void {
  command
    .description(`Sets metadata of a ${noun}. What is not named stays.`)
    .argument('<NAME>')
    .argument('<KEY=VALUE...>', 'A value is JSON, or else text.', collected(pairOf))
    .examples(`zaqar ${noun} set ${example} team=payments _default_message_delay=5`)
  asks(command, shell, async ({ zaqar, printer }, _flags, name: string, pairs: Pairs) => {
    const queue = open(zaqar, name)
    // `replace` is refused where there is nothing to replace.
    const present = await queue.metadata()
    const changes = pairs.map(([key, value]): MetadataChange => {
      return { op: Object.hasOwn(present, key) ? 'replace' : 'add', path: pathOf(key), value }
    })
    await printer.show(await queue.update(changes))
  })
}

export function defineUnset(command: ZaqarCommand, shell: Shell, { noun, example, open }: Collection): void {
  command
    .description(`Takes metadata of a ${noun} away.`)
    .argument('<NAME>')
    .argument('<KEY...>')
    .examples(`zaqar ${noun} unset ${example} team`)
  asks(command, shell, async ({ zaqar, printer }, _flags, name: string, keys: readonly string[]) => {
    await printer.show(await open(zaqar, name).update(keys.map((key) => ({ op: 'remove', path: pathOf(key) }))))
  })
}

/** By RFC 6901. */
function pathOf(key: string): string {
  return `/metadata/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
}

export function defineStats(command: ZaqarCommand, shell: Shell, { noun, example, open }: Collection): void {
  command
    .description(`Counts the messages of a ${noun}, and says how old the oldest and the newest are.`)
    .argument('<NAME>')
    .examples(`zaqar ${noun} stats ${example}`, `zaqar ${noun} stats ${example} --json`)
  asks(command, shell, async ({ zaqar, printer, flags }, _flags, name: string) => {
    const stats = await open(zaqar, name).stats()
    await printer.show(flags.json ? stats : readable(stats))
  })
}

function readable({ oldest, newest, ...counts }: Stats): object {
  return { ...counts, oldest: oldest && duration(oldest.age), newest: newest && duration(newest.age) }
}

export function definePurge(command: ZaqarCommand, shell: Shell, { noun, example, open }: Collection): void {
  command
    .description(`Removes all messages and subscriptions of a ${noun}, or one of the two.`)
    .argument('<NAME>')
    .option('--messages', 'Only messages.')
    .option('--subscriptions', 'Only subscriptions.')
    .examples(`zaqar ${noun} purge ${example} --messages`)
  asks(command, shell, async ({ zaqar, printer }, flags: Partial<Record<Resource, true>>, name: string) => {
    const named = RESOURCES.filter((resource) => flags[resource])
    const purged = named.length === 0 ? RESOURCES : named
    await open(zaqar, name).purge(purged)
    await printer.tell({ name, purged }, `${noun} ${name} has no ${purged.join(' and no ')} any more`)
  })
}

const RESOURCES = ['messages', 'subscriptions'] as const
type Resource = (typeof RESOURCES)[number]

export function defineDelete(command: ZaqarCommand, shell: Shell, { noun, example, open }: Collection): void {
  command
    .description(`Deletes ${noun}s with all that is in them. One that is not there is no error.`)
    .argument('<NAME...>')
    .examples(`zaqar ${noun} delete ${example}`)
  asks(command, shell, async ({ zaqar, printer }, _flags, names: readonly string[]) => {
    for (const name of names) await open(zaqar, name).delete()
    await printer.tell({ deleted: names }, `${names.join(', ')} deleted`)
  })
}
