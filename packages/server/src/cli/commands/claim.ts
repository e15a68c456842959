import type { ClaimTerms, ListedClaim } from 'zaqar-client/http'
import { asks } from '../ask.ts'
import type { ZaqarCommand } from '../command.ts'
import { limited } from '../limited.ts'
import { NotThere } from '../not-there.ts'
import { duration } from '../output/duration.ts'
import type { Column } from '../output/table.ts'
import type { Shell } from '../shell.ts'
import { countFrom } from '../values.ts'
import { messageColumns } from './message.ts'

export function defineClaim(command: ZaqarCommand, shell: Shell): void {
  command.description('Claims: who has one works on its messages, which nobody else gets meanwhile.')
  defineList(command.command('list'), shell)
  defineCreate(command.command('create'), shell)
  defineShow(command.command('show'), shell)
  defineRenew(command.command('renew'), shell)
  defineRelease(command.command('release'), shell)
}

const columns: readonly Column<ListedClaim>[] = [
  { title: 'ID', value: ({ id }) => id },
  { title: 'HELD BY', value: ({ client_id }) => client_id },
  { title: 'MESSAGES', isNumber: true, value: ({ messages }) => messages },
  { title: 'AGE', isNumber: true, value: ({ age }) => duration(age) },
  { title: 'ENDS IN', isNumber: true, value: ({ age, ttl }) => duration(Math.max(0, ttl - age)) },
]

function defineList(command: ZaqarCommand, shell: Shell): void {
  command
    .description('Lists the claims that hold messages, oldest first, with the id of the client that made each.')
    .argument('<QUEUE>')
    .option('--limit <N>', 'No more than so many.', countFrom(1))
    .examples('zaqar claim list jobs', 'zaqar claim list jobs --json')
  asks(command, shell, async ({ zaqar, printer }, { limit }: { limit?: number }, queue: string) => {
    await printer.list(limited(zaqar.queue(queue).claims(), limit), columns)
  })
}

/** The time that a claim has. */
function addTerms(command: ZaqarCommand): ZaqarCommand {
  return command
    .option('--ttl <SECONDS>', 'Life of the claim. Default: what the service says', countFrom(1))
    .option('--grace <SECONDS>', 'How much longer than the claim its messages live at least.', countFrom(1))
}

function defineCreate(command: ZaqarCommand, shell: Shell): void {
  interface Flags extends ClaimTerms {
    readonly limit?: number
    readonly wait?: number
  }
  addTerms(command)
    .description('Claims the oldest messages. Ends with 3 when there is none.')
    .argument('<QUEUE>')
    .option('--limit <N>', 'No more than so many messages. Default: 10', countFrom(1))
    .option('--wait <SECONDS>', 'So long the service may wait for messages, up to 20.', countFrom(0))
    .examples('zaqar claim create jobs --ttl 300', 'zaqar claim create jobs --limit 1 --wait 20 --json')
  asks(command, shell, async ({ zaqar, printer, flags: { json } }, terms: Flags, queue: string) => {
    const claim = await zaqar.queue(queue).claim({
      ttl: terms.ttl,
      grace: terms.grace,
      limit: terms.limit,
      wait: terms.wait,
    })
    if (claim === null) throw new NotThere(`there is no message to claim in ${queue}`)
    const { id, messages } = claim
    if (json) return printer.show({ id, messages })
    await printer.show({ claim: id })
    await printer.list(messages, messageColumns)
  })
}

function defineShow(command: ZaqarCommand, shell: Shell): void {
  command
    .description('Shows a claim and its messages.')
    .argument('<QUEUE>')
    .argument('<CLAIM>')
    .examples('zaqar claim show jobs 51db7067821e727dc24df754')
  asks(command, shell, async ({ zaqar, printer, flags: { json } }, _flags, queue: string, id: string) => {
    const claim = await zaqar.queue(queue).getClaim(id)
    if (claim === null) throw new NotThere(`there is no claim ${id} in ${queue}, or it holds nothing any more`)
    if (json) return printer.show(claim)
    const { age, ttl, messages } = claim
    await printer.show({ age, ttl })
    await printer.list(messages, messageColumns)
  })
}

function defineRenew(command: ZaqarCommand, shell: Shell): void {
  addTerms(command)
    .description('Lets a claim end later: so long from now.')
    .argument('<QUEUE>')
    .argument('<CLAIM>')
    .examples('zaqar claim renew jobs 51db7067821e727dc24df754 --ttl 600')
  asks(command, shell, async ({ zaqar, printer }, { ttl, grace }: ClaimTerms, queue: string, id: string) => {
    await zaqar.queue(queue).renewClaim(id, { ttl, grace })
    await printer.tell({ renewed: id }, `claim ${id} is renewed`)
  })
}

function defineRelease(command: ZaqarCommand, shell: Shell): void {
  command
    .description('Gives back what was claimed and is not deleted: it can be claimed again at once.')
    .argument('<QUEUE>')
    .argument('<CLAIM>')
    .examples('zaqar claim release jobs 51db7067821e727dc24df754')
  asks(command, shell, async ({ zaqar, printer }, _flags, queue: string, id: string) => {
    await zaqar.queue(queue).releaseClaim(id)
    await printer.tell({ released: id }, `claim ${id} is released`)
  })
}
