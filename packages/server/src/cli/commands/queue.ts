import { asks } from '../ask.ts'
import type { ZaqarCommand } from '../command.ts'
import { Progress } from '../output/progress.ts'
import type { Shell } from '../shell.ts'
import { collected, countFrom, pairOf, textOf } from '../values.ts'
import * as collections from './collections.ts'

const queues: collections.Collection = {
  noun: 'queue',
  example: 'jobs',
  list: (zaqar, options) => zaqar.queues(options),
  open: (zaqar, name) => zaqar.queue(name),
}

export function defineQueue(command: ZaqarCommand, shell: Shell): void {
  command.description('Queues of the project. A queue comes into being with its first message, or is created.')
  const list = command
    .command('list')
    .option('--metadata <KEY=VALUE>', 'Only those whose metadata say so; may be repeated.', collected(pairOf))
    .examples('zaqar queue list --metadata team=billing')
  collections.defineList(list, shell, queues)
  collections.defineCreate(command.command('create'), shell, queues)
  collections.defineShow(command.command('show'), shell, queues)
  collections.defineSet(command.command('set'), shell, queues)
  collections.defineUnset(command.command('unset'), shell, queues)
  collections.defineStats(command.command('stats'), shell, queues)
  collections.definePurge(command.command('purge'), shell, queues)
  defineRedrive(command.command('redrive'), shell)
  collections.defineDelete(command.command('delete'), shell, queues)
}

function defineRedrive(command: ZaqarCommand, shell: Shell): void {
  interface Flags {
    readonly id?: readonly string[]
    readonly rate?: number
  }
  command
    .description('Moves dead letters back to the queues that they come from. Name the dead letter queue.')
    .argument('<NAME>')
    .option('--id <ID>', 'Only this message; may be repeated.', collected(textOf))
    .option('--rate <N>', 'No more than so many a second.', countFrom(1))
    .examples('zaqar queue redrive failed', 'zaqar queue redrive failed --rate 10')
  asks(command, shell, async ({ zaqar, printer }, { id: ids, rate }: Flags, name: string) => {
    const queue = zaqar.queue(name)
    const all = ids?.length ?? (await queue.stats()).total
    const progress = new Progress(shell.stderr, 'messages are moved back')
    const queues: Record<string, number> = {}
    let moved = 0
    for (let done = false; !done; ) {
      const step = await queue.redrive({ ...(ids !== undefined && { ids }), ...(rate !== undefined && { rate }) })
      for (const { queue } of step.moved) queues[queue] = (queues[queue] ?? 0) + 1
      moved += step.moved.length
      progress.at(moved, all === 0 ? 1 : Math.min(1, moved / all))
      done = step.done || step.moved.length === 0
    }
    progress.end()
    await printer.tell({ moved, queues }, `${moved} messages are moved back`)
  })
}
