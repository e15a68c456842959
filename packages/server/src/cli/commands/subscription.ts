import type { Delivery, Failure, Metadata, SubscribeTerms, Subscription } from 'zaqar-client/http'
import { asks } from '../ask.ts'
import type { ZaqarCommand } from '../command.ts'
import { limited } from '../limited.ts'
import { NotThere } from '../not-there.ts'
import { duration } from '../output/duration.ts'
import { printableJson } from '../output/printable.ts'
import { Progress } from '../output/progress.ts'
import type { Column } from '../output/table.ts'
import type { Shell } from '../shell.ts'
import { collected, countFrom, objectOf, textOf } from '../values.ts'
import { addSource, type SourceFlags, sourceOf } from './source.ts'

const EXAMPLE = '57692aa63990b48c644bb7e5'

export function defineSubscription(command: ZaqarCommand, shell: Shell): void {
  command.description('Subscriptions of a queue or topic: who is told of each message, by HTTP or mail.')
  defineList(command.command('list'), shell)
  defineCreate(command.command('create'), shell)
  defineShow(command.command('show'), shell)
  defineSet(command.command('set'), shell)
  defineDelete(command.command('delete'), shell)
  defineConfirm(command.command('confirm'), shell)
  defineDeliveries(command.command('deliveries'), shell)
  defineFailures(command.command('failures'), shell)
  defineReplay(command.command('replay'), shell)
  defineRotateSecret(command.command('rotate-secret'), shell)
  defineDeleteSecret(command.command('delete-secret'), shell)
}

const columns: readonly Column<Subscription>[] = [
  { title: 'ID', value: ({ id }) => id },
  { title: 'SUBSCRIBER', value: ({ subscriber }) => subscriber },
  { title: 'CONFIRMED', value: ({ confirmed }) => (confirmed ? 'yes' : 'no') },
  { title: 'ENDS IN', isNumber: true, value: ({ age, ttl }) => duration(Math.max(0, ttl - age)) },
  { title: 'DELIVERY', value: ({ delivery }) => delivery && `${delivery.state}, ${delivery.failures} failures` },
]

function defineList(command: ZaqarCommand, shell: Shell): void {
  addSource(command)
    .description('Lists subscriptions.')
    .option('--limit <N>', 'No more than so many.', countFrom(1))
    .examples('zaqar subscription list jobs', 'zaqar subscription list news --topic --json')
  asks(command, shell, async ({ zaqar, printer }, flags: SourceFlags & { limit?: number }, queue: string) => {
    await printer.list(limited(sourceOf(zaqar, flags, queue).subscriptions(), flags.limit), columns)
  })
}

interface TermFlags extends SourceFlags {
  readonly ttl?: number
  readonly options?: Metadata
}

function addTerms(command: ZaqarCommand): ZaqarCommand {
  return command
    .option('--ttl <SECONDS>', 'Life of the subscription. Default: what the service says', countFrom(1))
    .option('--options <JSON>', 'Options in an object.', objectOf)
}

function termsOf({ ttl, options }: TermFlags): Omit<SubscribeTerms, 'subscriber'> {
  return { ...(ttl !== undefined && { ttl }), ...(options !== undefined && { options }) }
}

function defineCreate(command: ZaqarCommand, shell: Shell): void {
  addTerms(addSource(command))
    .description('Subscribes somebody, who may have to confirm it.')
    .argument('<SUBSCRIBER>', 'Where to tell, such as https://example.org/hook or mailto:ops@example.org.')
    .examples(
      'zaqar subscription create jobs https://example.org/hook --ttl 86400',
      `zaqar subscription create jobs mailto:ops@example.org --options '{"subject": "a job"}'`,
    )
  asks(command, shell, async ({ zaqar, printer }, flags: TermFlags, queue: string, subscriber: string) => {
    const id = await sourceOf(zaqar, flags, queue).addSubscription({ subscriber, ...termsOf(flags) })
    await printer.tell({ id }, id)
  })
}

function defineShow(command: ZaqarCommand, shell: Shell): void {
  addSource(command)
    .description('Shows a subscription.')
    .argument('<ID>')
    .examples(`zaqar subscription show jobs ${EXAMPLE}`)
  asks(command, shell, async ({ zaqar, printer }, flags: SourceFlags, queue: string, id: string) => {
    const subscription = await sourceOf(zaqar, flags, queue).subscription(id)
    if (subscription === null) throw new NotThere(`there is no subscription ${id} of ${queue}`)
    await printer.show(subscription)
  })
}

function defineSet(command: ZaqarCommand, shell: Shell): void {
  addTerms(addSource(command))
    .description('Changes a subscription. What is not named stays; options are replaced as a whole.')
    .argument('<ID>')
    .option('--subscriber <URI>', 'Who is told from now on.')
    .examples(`zaqar subscription set jobs ${EXAMPLE} --ttl 604800`)
  asks(
    command,
    shell,
    async ({ zaqar, printer }, flags: TermFlags & { subscriber?: string }, queue: string, id: string) => {
      const { subscriber } = flags
      const terms = { ...(subscriber !== undefined && { subscriber }), ...termsOf(flags) }
      await sourceOf(zaqar, flags, queue).updateSubscription(id, terms)
      await printer.tell({ changed: id }, `subscription ${id} is changed`)
    },
  )
}

function defineDelete(command: ZaqarCommand, shell: Shell): void {
  addSource(command)
    .description('Ends subscriptions. One that is not there is no error.')
    .argument('<ID...>')
    .examples(`zaqar subscription delete jobs ${EXAMPLE}`)
  asks(command, shell, async ({ zaqar, printer }, flags: SourceFlags, queue: string, ids: readonly string[]) => {
    for (const id of ids) await sourceOf(zaqar, flags, queue).deleteSubscription(id)
    await printer.tell({ deleted: ids }, `${ids.join(', ')} deleted`)
  })
}

function defineConfirm(command: ZaqarCommand, shell: Shell): void {
  addSource(command)
    .description('Confirms a subscription for its subscriber, or takes that back.')
    .argument('<ID>')
    .option('--undo', 'It is not confirmed any more.')
    .examples(`zaqar subscription confirm jobs ${EXAMPLE}`)
  asks(command, shell, async ({ zaqar, printer }, flags: SourceFlags & { undo?: true }, queue: string, id: string) => {
    const confirmed = !flags.undo
    await sourceOf(zaqar, flags, queue).confirmSubscription(id, confirmed)
    await printer.tell({ id, confirmed }, `subscription ${id} is ${confirmed ? '' : 'not '}confirmed`)
  })
}

const deliveryColumns: readonly Column<Delivery>[] = [
  { title: 'AT', value: ({ at }) => at },
  { title: 'SECONDS', isNumber: true, value: ({ seconds }) => seconds },
  { title: 'STATUS', isNumber: true, value: ({ status }) => status },
  { title: 'REASON', value: ({ reason }) => reason },
  { title: 'MESSAGES', value: ({ message_ids }) => message_ids.join(' ') },
]

function defineDeliveries(command: ZaqarCommand, shell: Shell): void {
  addSource(command)
    .description('Shows the latest deliveries, and what came of them.')
    .argument('<ID>')
    .examples(`zaqar subscription deliveries jobs ${EXAMPLE}`)
  asks(command, shell, async ({ zaqar, printer }, flags: SourceFlags, queue: string, id: string) => {
    await printer.list(await sourceOf(zaqar, flags, queue).deliveries(id), deliveryColumns)
  })
}

const failureColumns: readonly Column<Failure>[] = [
  { title: 'ID', value: ({ id }) => id },
  { title: 'FAILED', value: ({ failed }) => failed },
  { title: 'ATTEMPTS', isNumber: true, value: ({ attempts }) => attempts },
  { title: 'REASON', value: ({ latest_attempts }) => latest_attempts.at(-1)?.reason },
  { title: 'BODY', value: ({ body }) => printableJson(body) },
]

function defineFailures(command: ZaqarCommand, shell: Shell): void {
  addSource(command)
    .description('Lists messages that could not be delivered.')
    .argument('<ID>')
    .option('--limit <N>', 'No more than so many.', countFrom(1))
    .examples(`zaqar subscription failures jobs ${EXAMPLE}`)
  asks(
    command,
    shell,
    async ({ zaqar, printer }, flags: SourceFlags & { limit?: number }, queue: string, id: string) => {
      await printer.list(limited(sourceOf(zaqar, flags, queue).failures(id), flags.limit), failureColumns)
    },
  )
}

function defineReplay(command: ZaqarCommand, shell: Shell): void {
  interface Flags extends SourceFlags {
    readonly id?: readonly string[]
    readonly since?: string
  }
  addSource(command)
    .description('Delivers again what could not be delivered.')
    .argument('<ID>')
    .option('--id <ID>', 'Only this message; may be repeated.', collected(textOf))
    .option('--since <TIME>', 'Only what has failed since then, such as 2030-01-31T12:00:00.')
    .examples(`zaqar subscription replay jobs ${EXAMPLE}`)
  asks(command, shell, async ({ zaqar, printer }, flags: Flags, queue: string, id: string) => {
    const which = {
      ...(flags.id !== undefined && { ids: flags.id }),
      ...(flags.since !== undefined && { since: flags.since }),
    }
    const progress = new Progress(shell.stderr, 'messages are delivered again')
    let replayed = 0
    for (let done = false; !done; ) {
      const step = await sourceOf(zaqar, flags, queue).replay(id, which)
      replayed += step.replayed.length
      progress.at(replayed, null)
      done = step.done || step.replayed.length === 0
    }
    progress.end()
    await printer.tell({ replayed }, `${replayed} messages are delivered again`)
  })
}

function defineRotateSecret(command: ZaqarCommand, shell: Shell): void {
  addSource(command)
    .description('Makes a new secret that notifications are signed with, and shows it this once.')
    .argument('<ID>')
    .examples(`zaqar subscription rotate-secret jobs ${EXAMPLE} --json`)
  asks(command, shell, async ({ zaqar, printer }, flags: SourceFlags, queue: string, id: string) => {
    await printer.show(await sourceOf(zaqar, flags, queue).makeSecret(id))
  })
}

function defineDeleteSecret(command: ZaqarCommand, shell: Shell): void {
  addSource(command)
    .description('Notifications are not signed any more.')
    .argument('<ID>')
    .examples(`zaqar subscription delete-secret jobs ${EXAMPLE}`)
  asks(command, shell, async ({ zaqar, printer }, flags: SourceFlags, queue: string, id: string) => {
    await sourceOf(zaqar, flags, queue).deleteSecret(id)
    await printer.tell({ deleted: id }, `subscription ${id} has no secret any more`)
  })
}
