/** Commands that ask a service. */
import type { Zaqar, ZaqarOptions } from 'zaqar-client/http'
import type { ZaqarCommand } from './command.ts'
import { addConnectionFlags, type ConnectionFlags } from './connection/connection-flags.ts'
import type { Printer } from './output/printer.ts'
import type { Shell } from './shell.ts'

/** What such a command works with. */
export interface Asking {
  readonly zaqar: Zaqar
  /** What the client was made with: who needs subscribers, too, makes another one. */
  readonly connection: ZaqarOptions
  readonly printer: Printer
  readonly shell: Shell
  readonly flags: CommonFlags
}

/** What may stand behind `zaqar` as well as behind the command. */
export interface CommonFlags extends ConnectionFlags {
  readonly json?: true
}

type Act<Flags, Arguments extends readonly unknown[]> = (
  asking: Asking,
  flags: Flags,
  ...given: Arguments
) => Promise<void>

/**
 * Gives a command `--json` and the flags of a connection, and has it do what `act` does. `act` gets what the command line
 * says: first the flags, then the arguments.
 */
export function asks<Flags, Arguments extends readonly unknown[]>(
  command: ZaqarCommand,
  shell: Shell,
  act: Act<Flags, Arguments>,
): void {
  define(command, shell, act, { asAdmin: false })
}

/** The same for what only operators may: a service that asks nobody who they are is told that one asks. */
export function asksAsAdmin<Flags, Arguments extends readonly unknown[]>(
  command: ZaqarCommand,
  shell: Shell,
  act: Act<Flags, Arguments>,
): void {
  define(command, shell, act, { asAdmin: true })
}

function define<Flags, Arguments extends readonly unknown[]>(
  command: ZaqarCommand,
  shell: Shell,
  act: Act<Flags, Arguments>,
  { asAdmin }: { readonly asAdmin: boolean },
): void {
  addCommonFlags(command).action(async (...given: unknown[]) => {
    const flags = command.opts<CommonFlags>()
    const [{ Zaqar }, { connectionOf }, { Printer }] = await Promise.all([
      import('zaqar-client/http'),
      import('./connection/connect.ts'),
      import('./output/printer.ts'),
    ])
    const connection = await connectionOf(flags, shell, asAdmin)
    const zaqar = new Zaqar(connection)
    const asking = { zaqar, connection, printer: new Printer(shell, flags.json), shell, flags }
    await act(asking, flags as Flags, ...(given.slice(0, -2) as unknown as Arguments))
  })
}

export function addCommonFlags<Of extends ZaqarCommand>(command: Of): Of {
  return addConnectionFlags(command.option('--json', 'Print JSON: one document, or one in each line of a stream.'))
}

/** Flags of other commands that mean the same behind `zaqar`. */
const SHARED = ['--json', '--os-cloud']

/**
 * Gives a command what stands behind `zaqar`; what stands behind the command itself wins.
 * @throws UsageError where it would not heed that
 */
export function handDown(root: ZaqarCommand, command: ZaqarCommand): void {
  const has = (flag: string) => command.options.some(({ long }) => long === flag)
  // Who asks a service has them all.
  const asksService = has('--client-id')
  for (const option of root.options) {
    const flag = option.long as string
    const name = option.attributeName()
    const value = root.getOptionValue(name)
    if (value === undefined) continue
    if (!asksService && !(SHARED.includes(flag) && has(flag))) {
      command.error(`${flag} before the command is for those that ask a service, and this does not heed it`)
    }
    if (command.getOptionValue(name) === undefined) command.setOptionValue(name, value)
  }
}
