import type { Drain, Rebalance, Zaqar } from 'zaqar-client/http'
import { pause } from '../../platform/pause.ts'
import { type Asking, asksAsAdmin } from '../ask.ts'
import type { ZaqarCommand } from '../command.ts'
import { EXIT } from '../exit.ts'
import { NotThere } from '../not-there.ts'
import { Progress } from '../output/progress.ts'
import type { Shell } from '../shell.ts'
import { UsageError } from '../usage-error.ts'
import { countFrom } from '../values.ts'

const LOOK_MS = 500

interface Flags {
  readonly wait?: true
  readonly status?: true
  readonly cancel?: true
  readonly rate?: number
}

/** Queues on their way from pool to pool, as a client asks for them. */
interface Moving {
  readonly nobodyAsked: string
  begin(zaqar: Zaqar, terms: { readonly rate?: number }): Promise<Drain | Rebalance>
  get(zaqar: Zaqar): Promise<Drain | Rebalance | null>
  cancel(zaqar: Zaqar): Promise<void>
}

function addFlags(command: ZaqarCommand): ZaqarCommand {
  return command
    .option('--wait', 'Wait until it has ended, and say how far it is. Ctrl-C ends the waiting alone.')
    .option('--rate <N>', 'Records in a second, at most; a message is one. Default: as fast as it goes.', countFrom(1))
    .option('--status', 'Ask for nothing; show how far it is.')
    .option('--cancel', 'End it; queues that have not gone stay.')
}

export function defineDrain(command: ZaqarCommand, shell: Shell): void {
  addFlags(command)
    .description('Moves all queues of a pool to others while they are in use. It takes no new queues from then on.')
    .argument('<NAME>')
    .examples('zaqar pool drain fast --wait', 'zaqar pool drain fast --rate 500', 'zaqar pool drain fast --cancel')
  asksAsAdmin(command, shell, (asking, flags: Flags, name: string) =>
    act(asking, flags, {
      nobodyAsked: `nobody has asked for a drain of pool ${name}`,
      begin: (zaqar, terms) => zaqar.drainPool(name, terms),
      get: (zaqar) => zaqar.drain(name),
      cancel: (zaqar) => zaqar.cancelDrain(name),
    }),
  )
}

export function defineRebalance(command: ZaqarCommand, shell: Shell): void {
  addFlags(command)
    .description('Moves queues between pools until each has as many as its weight says, while they are in use.')
    .examples('zaqar pool rebalance --wait', 'zaqar pool rebalance --status')
  asksAsAdmin(command, shell, (asking, flags: Flags) =>
    act(asking, flags, {
      nobodyAsked: 'nobody has asked for a rebalance',
      begin: (zaqar, terms) => zaqar.rebalancePools(terms),
      get: (zaqar) => zaqar.rebalance(),
      cancel: (zaqar) => zaqar.cancelRebalance(),
    }),
  )
}

async function act({ zaqar, printer, shell }: Asking, flags: Flags, moving: Moving): Promise<void> {
  const { wait, status, cancel, rate } = flags
  if (status && cancel) throw new UsageError('--status and --cancel exclude each other')
  if (rate !== undefined && (status || cancel)) throw new UsageError('--rate is for what is asked for anew')
  const find = async () => {
    const found = await moving.get(zaqar)
    if (found === null) throw new NotThere(moving.nobodyAsked)
    return found
  }
  if (cancel) await moving.cancel(zaqar)
  let shown = status || cancel ? await find() : await moving.begin(zaqar, rate === undefined ? {} : { rate })
  if (wait) shown = await untilEnded(shown, find, shell)
  await printer.show(shown)
  if (shown.status === 'failed') shell.exitCode = EXIT.failed
}

async function untilEnded<One extends Drain | Rebalance>(
  first: One,
  find: () => Promise<One>,
  { stderr }: Shell,
): Promise<One> {
  const progress = new Progress(stderr, 'queues have gone')
  let latest = first
  try {
    while (latest.ended === null) {
      const { queues_left: left, queues_moved: moved } = latest
      progress.at(moved, left === null ? null : moved / Math.max(1, moved + left))
      await pause(LOOK_MS)
      latest = await find()
    }
  } finally {
    progress.end()
  }
  return latest
}
