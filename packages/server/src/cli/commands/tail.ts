import { asks } from '../ask.ts'
import type { ZaqarCommand } from '../command.ts'
import { printableJson } from '../output/printable.ts'
import type { Shell } from '../shell.ts'
import { countFrom } from '../values.ts'
import { addSource, type SourceFlags } from './source.ts'

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
    const [{ Zaqar, ZaqarError }, { describeFailure }] = await Promise.all([
      import('zaqar-client'),
      import('../failure.ts'),
    ])
    const zaqar = new Zaqar(connection)
    let shown = 0
    const subscriber = (topic ? zaqar.topic(name) : zaqar.queue(name)).subscribe(
      async (message) => {
        await printer.tell(message, `${message.id}  ${printableJson(message.body)}`)
        if (++shown >= count) void subscriber.stop()
      },
      {
        ...(from !== undefined && { from }),
        // Who may only read can have these, and they leave no subscription in the queue.
        transports: ['events', 'poll'],
        async onError(error) {
          // What ends it is thrown.
          if (error instanceof ZaqarError && error.isFinal) return
          shell.stderr.write(`zaqar: ${(await describeFailure(error)).message}; going on\n`)
        },
      },
    )
    await subscriber.ended
  })
}
