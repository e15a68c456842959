import type { ZaqarCommand } from '../command.ts'
import { countFrom } from '../values.ts'

/** What a command line says of the service to ask, and of who asks. */
export interface ConnectionFlags {
  readonly url?: string
  readonly project?: string
  readonly clientId?: string
  readonly signedUrl?: string
  readonly osCloud?: string
  /** Seconds. */
  readonly timeout?: number
}

/** They may stand behind `zaqar` and behind a command. */
export function addConnectionFlags<Of extends ZaqarCommand>(command: Of): Of {
  return command
    .optionsGroup('Connection:')
    .option('--url <URL>', 'Address of the service. (ZAQAR_URL)')
    .option('--project <PROJECT>', 'Project to work in: its id, or with Keystone its name. (ZAQAR_PROJECT)')
    .option('--client-id <UUID>', 'Who posts; a listing may leave out what the same client has posted.')
    .option('--signed-url <FILE>', 'Ask by a signed URL, as `zaqar signed-url create` writes it.')
    .option('--os-cloud <NAME>', 'Ask as a cloud of clouds.yaml says. (OS_CLOUD)')
    .option('--timeout <SECONDS>', 'Time that the service has for each answer. Default: 30', countFrom(1))
}
