import type { ZaqarCommand } from './command.ts'
import type { Shell } from './shell.ts'

/** A word that may follow `zaqar`. */
export interface CommandRow {
  readonly name: string
  /** One line of the overview. */
  readonly summary: string
  /** Gives the command its arguments, flags, further commands, and what it does. Loads what it needs for that. */
  define(command: ZaqarCommand, shell: Shell): Promise<void>
}

/** All commands, in the order of the overview. The file of a command is loaded when somebody asks for it. */
export const commands: readonly CommandRow[] = [
  {
    name: 'serve',
    summary: 'start the service',
    define: async (...given) => (await import('./commands/serve.ts')).defineServe(...given),
  },
  {
    name: 'config',
    summary: 'options of the service',
    define: async (...given) => (await import('./commands/config.ts')).defineConfig(...given),
  },
  {
    name: 'policy',
    summary: 'who may do what',
    define: async (...given) => (await import('./commands/policy.ts')).definePolicy(...given),
  },
  {
    name: 'agent',
    summary: 'run a command for each message of a queue, on a machine without an account',
    define: async (...given) => (await import('./commands/agent.ts')).defineAgent(...given),
  },
]
