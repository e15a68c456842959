import type { ZaqarCommand } from './command.ts'
import type { Shell } from './shell.ts'

/** A word that may follow `zaqar`. */
export interface CommandRow {
  readonly name: string
  /** One line of the overview. */
  readonly summary: string
  /** Heading in the overview. */
  readonly group: string
  /** It runs until it is told to end, whether somebody reads what it prints or not. */
  readonly goesOn?: true
  /** Gives the command its arguments, flags, further commands, and what it does. Loads what it needs for that. */
  define(command: ZaqarCommand, shell: Shell): Promise<void>
}

const SERVICE = 'The service:'
const CLIENT = 'Asking a service:'

/** All commands, in the order of the overview. The file of a command is loaded when somebody asks for it. */
export const commands: readonly CommandRow[] = [
  {
    name: 'serve',
    summary: 'start the service',
    group: SERVICE,
    goesOn: true,
    define: async (...given) => (await import('./commands/serve.ts')).defineServe(...given),
  },
  {
    name: 'config',
    summary: 'options of the service: options, check, print, migrate',
    group: SERVICE,
    define: async (...given) => (await import('./commands/config.ts')).defineConfig(...given),
  },
  {
    name: 'policy',
    summary: 'who may do what',
    group: SERVICE,
    define: async (...given) => (await import('./commands/policy.ts')).definePolicy(...given),
  },
  {
    name: 'doctor',
    summary: 'say what is wrong with an installation, and what to do',
    group: SERVICE,
    define: async (...given) => (await import('./commands/doctor.ts')).defineDoctor(...given),
  },
  {
    name: 'keystone',
    summary: 'let Keystone know of the service: register',
    group: SERVICE,
    define: async (...given) => (await import('./commands/keystone.ts')).defineKeystone(...given),
  },
  {
    name: 'backup',
    summary: 'copy the store of SQLite, while the service runs or not',
    group: SERVICE,
    define: async (...given) => (await import('./commands/backup.ts')).defineBackup(...given),
  },
  {
    name: 'restore',
    summary: 'make the store of a backup',
    group: SERVICE,
    define: async (...given) => (await import('./commands/restore.ts')).defineRestore(...given),
  },
  {
    name: 'import',
    summary: 'bring queues and topics with all that is in them from another service, also an OpenStack Zaqar',
    group: SERVICE,
    define: async (...given) => (await import('./commands/import.ts')).defineImport(...given),
  },
  {
    name: 'agent',
    summary: 'run a command for each message of a queue, on a machine without an account',
    group: CLIENT,
    goesOn: true,
    define: async (...given) => (await import('./commands/agent.ts')).defineAgent(...given),
  },
  {
    name: 'queue',
    summary: 'queues: list, create, show, set, stats, purge, redrive, delete',
    group: CLIENT,
    define: async (...given) => (await import('./commands/queue.ts')).defineQueue(...given),
  },
  {
    name: 'message',
    summary: 'messages: list, show, post, pop, delete',
    group: CLIENT,
    define: async (...given) => (await import('./commands/message.ts')).defineMessage(...given),
  },
  {
    name: 'claim',
    summary: 'claims: list, create, show, renew, release',
    group: CLIENT,
    define: async (...given) => (await import('./commands/claim.ts')).defineClaim(...given),
  },
  {
    name: 'subscription',
    summary: 'who is told: list, create, show, set, confirm, failures, replay, delete',
    group: CLIENT,
    define: async (...given) => (await import('./commands/subscription.ts')).defineSubscription(...given),
  },
  {
    name: 'topic',
    summary: 'topics: list, create, show, set, stats, purge, delete',
    group: CLIENT,
    define: async (...given) => (await import('./commands/topic.ts')).defineTopic(...given),
  },
  {
    name: 'pool',
    summary: 'pools of stores: list, show, create, set, drain, rebalance, delete',
    group: CLIENT,
    define: async (...given) => (await import('./commands/pool.ts')).definePool(...given),
  },
  {
    name: 'flavor',
    summary: 'flavors of pools: list, show, create, set, delete',
    group: CLIENT,
    define: async (...given) => (await import('./commands/flavor.ts')).defineFlavor(...given),
  },
  {
    name: 'ping',
    summary: 'ask whether the service answers',
    group: CLIENT,
    define: async (...given) => (await import('./commands/ping.ts')).definePing(...given),
  },
  {
    name: 'health',
    summary: 'have the service try its storage',
    group: CLIENT,
    define: async (...given) => (await import('./commands/health.ts')).defineHealth(...given),
  },
  {
    name: 'tail',
    summary: 'show the messages of a queue as they come',
    group: CLIENT,
    define: async (...given) => (await import('./commands/tail.ts')).defineTail(...given),
  },
  {
    name: 'bench',
    summary: 'load a service, and say how much it does',
    group: CLIENT,
    define: async (...given) => (await import('./commands/bench.ts')).defineBench(...given),
  },
  {
    name: 'signed-url',
    summary: 'let somebody without an account in: create, show',
    group: CLIENT,
    define: async (...given) => (await import('./commands/signed-url.ts')).defineSignedUrl(...given),
  },
  {
    name: 'completion',
    summary: 'let the shell complete commands, flags and queues: bash, zsh, fish',
    group: CLIENT,
    define: async (...given) => (await import('./commands/completion.ts')).defineCompletion(...given, commands),
  },
]
