import { asks } from '../ask.ts'
import type { ZaqarCommand } from '../command.ts'
import { printableJson } from '../output/printable.ts'
import type { Shell } from '../shell.ts'
import { countFrom } from '../values.ts'
import { addSource, type SourceFlags } from './source.ts'

/** Who may only read can have these, and they leave no subscription in the queue. */
const WAYS = ['events', 'poll'] as const

export function defineTail(command: ZaqarCommand, shell: Shell): void {
  interface Flags extends SourceFlags {
    readonly from?: string
    readonly count?: number
  }
  addSource(command)
    .description('Shows the messages of a queue as they are posted, until it is interrupted. Nothing happens to them.')
    .option('--from <MARKER>', 'Begin behind this message: its id, or a marker; `start`: with the oldest.')
    .option('--count <N>', 'End after so many.', countFrom(1))
    .examples('zaqar tail jobs', 'zaqar tail jobs --from start --count 10', 'zaqar tail news --topic --json')
  asks(command, shell, async ({ connection, printer }, flags: Flags, name: string) => {
    const { topic, from, count = Number.POSITIVE_INFINITY } = flags
    const [{ NotFound, Zaqar, ZaqarError }, { describeFailure }] = await Promise.all([
      import('zaqar-client'),
      import('../failure.ts'),
    ])
    const zaqar = new Zaqar(connection)
    let shown = 0
    let hasConnected = false
    // Ways at which the service has nothing. An OpenStack Zaqar has no event streams; where there is no listing either, it is none.
    let missingWays = 0
    let wrongAddress: unknown = null
    const subscriber = (topic ? zaqar.topic(name) : zaqar.queue(name)).subscribe(
      async (message) => {
        await printer.tell(message, `${message.id}  ${printableJson(message.body)}`)
        if (++shown >= count) void subscriber.stop()
      },
      {
        ...(from !== undefined && { from }),
        transports: WAYS,
        onTransport(transport) {
          hasConnected ||= transport !== null
        },
        async onError(error) {
          // What ends it is thrown.
          if (error instanceof ZaqarError && error.isFinal) return
          if (!hasConnected && error instanceof NotFound) {
            if (++missingWays < WAYS.length) return
            wrongAddress = error
            void subscriber.stop()
            return
          }
          shell.stderr.write(`zaqar: ${(await describeFailure(error)).message}; going on\n`)
        },
      },
    )
    await subscriber.ended
    if (wrongAddress !== null) throw wrongAddress
  })
}
