import type { Message, PoppedMessage } from 'zaqar-client/http'
import { asks } from '../ask.ts'
import type { ZaqarCommand } from '../command.ts'
import { limited } from '../limited.ts'
import { NotThere } from '../not-there.ts'
import { duration } from '../output/duration.ts'
import { printableJson } from '../output/printable.ts'
import type { Column } from '../output/table.ts'
import type { Shell } from '../shell.ts'
import { countFrom } from '../values.ts'
import { definePost } from './message-post.ts'
import { addSource, type SourceFlags, sourceOf } from './source.ts'

export const messageColumns: readonly Column<Message | PoppedMessage>[] = [
  { title: 'ID', value: ({ id }) => id },
  { title: 'AGE', isNumber: true, value: ({ age }) => duration(age) },
  { title: 'TTL', isNumber: true, value: ({ ttl }) => duration(ttl) },
  { title: 'BODY', value: ({ body }) => printableJson(body) },
]

export function defineMessage(command: ZaqarCommand, shell: Shell): void {
  command.description('Messages of a queue or topic.')
  defineList(command.command('list'), shell)
  defineShow(command.command('show'), shell)
  definePost(command.command('post'), shell)
  definePop(command.command('pop'), shell)
  defineDelete(command.command('delete'), shell)
}

function defineList(command: ZaqarCommand, shell: Shell): void {
  interface Flags extends SourceFlags {
    readonly from?: string
    readonly limit?: number
    readonly includeClaimed?: true
    readonly includeDelayed?: true
    readonly echo: boolean
  }
  addSource(command)
    .description('Lists messages, oldest first. Nothing happens to them.')
    .option('--from <MARKER>', 'Only what was posted after this message: its id, or a marker.')
    .option('--limit <N>', 'No more than so many.', countFrom(1))
    .option('--include-claimed', 'Also those that somebody has claimed.')
    .option('--include-delayed', 'Also those that nobody can claim yet.')
    .option('--no-echo', 'Not those that this client (--client-id) has posted.')
    .examples('zaqar message list jobs', 'zaqar message list jobs --include-claimed --limit 5 --json')
  asks(command, shell, async ({ zaqar, printer }, flags: Flags, queue: string) => {
    const { from, limit, includeClaimed = false, includeDelayed = false, echo } = flags
    const messages = sourceOf(zaqar, flags, queue).messages({
      ...(from !== undefined && { from }),
      includeClaimed,
      includeDelayed,
      echo,
    })
    await printer.list(limited(messages, limit), messageColumns)
  })
}

function defineShow(command: ZaqarCommand, shell: Shell): void {
  addSource(command)
    .description('Shows a message. Nothing happens to it.')
    .argument('<ID>')
    .examples('zaqar message show jobs 51db6f78c508f17ddc924357')
  asks(command, shell, async ({ zaqar, printer }, flags: SourceFlags, queue: string, id: string) => {
    const message = await sourceOf(zaqar, flags, queue).get(id)
    if (message === null) throw new NotThere(`there is no message ${id} in ${queue}`)
    await printer.show(message)
  })
}

function definePop(command: ZaqarCommand, shell: Shell): void {
  addSource(command)
    .description(
      'Takes the oldest messages: they are shown and deleted in one. Who may not lose any claims instead. Ends with 3 when there is none.',
    )
    .option('--count <N>', 'No more than so many. Default: 1', countFrom(1))
    .examples('zaqar message pop jobs', 'zaqar message pop jobs --count 10 --json')
  asks(command, shell, async ({ zaqar, printer }, flags: SourceFlags & { count?: number }, queue: string) => {
    const messages = await sourceOf(zaqar, flags, queue).pop(flags.count)
    if (messages.length === 0) throw new NotThere(`there is no message to take in ${queue}`)
    await printer.list(messages, messageColumns)
  })
}

function defineDelete(command: ZaqarCommand, shell: Shell): void {
  addSource(command)
    .description('Deletes messages. One that is not there is no error.')
    .argument('<ID...>')
    .option('--claim <ID>', 'The claim that holds them; without it, one that is claimed is not deleted.')
    .examples('zaqar message delete jobs 51db6f78c508f17ddc924357 --claim 51db7067821e727dc24df754')
  asks(
    command,
    shell,
    async ({ zaqar, printer }, flags: SourceFlags & { claim?: string }, queue: string, ids: readonly string[]) => {
      const source = sourceOf(zaqar, flags, queue)
      for (const id of ids) await source.deleteMessage(id, flags.claim)
      await printer.tell({ deleted: ids }, `${ids.join(', ')} deleted`)
    },
  )
}
