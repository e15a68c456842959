import { asks } from '../ask.ts'
import type { ZaqarCommand } from '../command.ts'
import { printableJson } from '../output/printable.ts'
import type { Shell } from '../shell.ts'
import { countFrom } from '../values.ts'
import { addSource, type SourceFlags, sourceOf } from './source.ts'

export function defineTail(command: ZaqarCommand, shell: Shell): void {
  interface Flags extends SourceFlags {
    readonly from?: string
    readonly count?: number
  }
  addSource(command)
    .description(
      'Shows the messages of a queue, and those that come, until it is interrupted. Nothing happens to them; what is deleted before it is seen is not shown.',
    )
    .option('--from <MARKER>', 'Only what was posted after this message: its id, or a marker.')
    .option('--count <N>', 'End after so many.', countFrom(1))
    .examples('zaqar tail jobs', 'zaqar tail jobs --json --count 10')
  asks(command, shell, async ({ zaqar, printer }, flags: Flags, queue: string) => {
    const { from, count = Number.POSITIVE_INFINITY } = flags
    const messages = sourceOf(zaqar, flags, queue).messages({
      ...(from !== undefined && { from }),
      includeClaimed: true,
      wait: true,
    })
    let shown = 0
    for await (const message of messages) {
      await printer.tell(message, `${message.id}  ${printableJson(message.body)}`)
      if (++shown >= count) return
    }
  })
}
