import type { ZaqarCommand } from '../command.ts'
import { cloudSettings, trust } from '../connection/connect.ts'
import { ConnectionError } from '../connection/connection-error.ts'
import { keystoneAuthOf } from '../connection/keystone-auth.ts'
import { Printer } from '../output/printer.ts'
import { KeystoneAdmin } from '../registration/keystone-admin.ts'
import { PasswordFile } from '../registration/password-file.ts'
import { type Registered, register, type Step, type WantedService } from '../registration/register.ts'
import type { Shell } from '../shell.ts'
import { urlOf } from '../values.ts'

export function defineKeystone(command: ZaqarCommand, shell: Shell): void {
  command.description('What Keystone has to know of the service.')
  defineRegister(command.command('register'), shell)
}

interface RegisterFlags {
  readonly publicUrl: string
  readonly internalUrl?: string
  readonly adminUrl?: string
  readonly websocketUrl?: string
  readonly region?: string
  readonly user: string
  readonly serviceProject: string
  readonly domain: string
  readonly role: string
  readonly passwordFile?: string
  readonly osCloud?: string
  readonly dryRun?: true
  readonly json?: true
}

function defineRegister(command: ZaqarCommand, shell: Shell): void {
  command
    .description(
      'Makes the services messaging and messaging-websocket with their endpoints, and the user of the service with its role. What is there already ' +
        'stays, so it may be run again. Prints what belongs into the configuration of the service. Who runs it is an administrator of the cloud, by ' +
        'OS_* variables or --os-cloud.',
    )
    .requiredOption('--public-url <URL>', 'Where clients reach the service.', urlOf)
    .option('--internal-url <URL>', 'Where other services reach it. Default: the public address', urlOf)
    .option('--admin-url <URL>', 'Where administrators reach it. Default: the internal address', urlOf)
    .option(
      '--websocket-url <URL>',
      'Where clients speak WebSocket. Default: the public address, with ws or wss',
      urlOf,
    )
    .option('--region <ID>', 'Region of the endpoints. (OS_REGION_NAME) Default: that of Keystone')
    .option('--user <NAME>', 'The user that the service is to Keystone.', 'zaqar')
    .option('--service-project <NAME>', 'Its project.', 'service')
    .option('--domain <NAME>', 'The domain of user and project.', 'Default')
    .option('--role <NAME>', 'What it may do there; it must let it validate tokens.', 'service')
    .option(
      '--password-file <FILE>',
      'Holds the password of the user, -: from standard input; one that is missing is made, with a new password.',
    )
    .option('--os-cloud <NAME>', 'Ask as a cloud of clouds.yaml says. (OS_CLOUD)')
    .option('--dry-run', 'Say what would be done, and change nothing.')
    .option('--json', 'Print one JSON document.')
    .examples(
      'zaqar keystone register --public-url https://zaqar.example --password-file zaqar.password --dry-run',
      'zaqar keystone register --public-url https://zaqar.example --password-file zaqar.password >> /etc/zaqar/zaqar.conf',
    )
    .action((flags: RegisterFlags) => registerByFlags(flags, shell))
}

async function registerByFlags(flags: RegisterFlags, shell: Shell): Promise<void> {
  const { osCloud, user, serviceProject: project, domain, role, passwordFile, dryRun = false, json } = flags
  const settings = await cloudSettings(osCloud ?? shell.env['OS_CLOUD'], shell)
  if (settings === null)
    throw new ConnectionError('who registers is not said: set OS_* variables, or name a cloud with --os-cloud')
  trust(settings['cacert'])
  const auth = keystoneAuthOf(settings)
  const registered = await register(
    new KeystoneAdmin(auth),
    {
      services: servicesOf(flags),
      region: flags.region ?? settings['region_name'] ?? null,
      domain,
      user,
      project,
      role,
      password: new PasswordFile(passwordFile ?? null, shell.stdin),
    },
    { dryRun },
  )
  const options = optionsOf({ registered, authUrl: auth.authUrl, user, project, domain, cacert: settings['cacert'] })
  // The configuration alone goes to where it may be appended to a file.
  if (!json) shell.stderr.write(linesOf(registered.steps, dryRun))
  const section = Object.entries(options).map(([name, value]) => `${name} = ${value}`)
  const password = `# password = ${passwordFile === undefined || passwordFile === '-' ? 'that of the user' : `what ${passwordFile} holds`}`
  await new Printer(shell, json).tell(
    { dryRun, steps: registered.steps, keystone_authtoken: options },
    ...['[DEFAULT]', 'auth_strategy = keystone', '', '[keystone_authtoken]', ...section, password],
  )
}

/** As the plugin of DevStack names them. */
function servicesOf(flags: RegisterFlags): WantedService[] {
  const { publicUrl, internalUrl = publicUrl, adminUrl = internalUrl, websocketUrl } = flags
  const overSocket = (url: string) => websocketUrl ?? url.replace(/^http/, 'ws')
  const description = 'Messages and notifications'
  return [
    {
      name: 'zaqar',
      type: 'messaging',
      description,
      urls: { public: publicUrl, internal: internalUrl, admin: adminUrl },
    },
    {
      name: 'zaqar-websocket',
      type: 'messaging-websocket',
      description: `${description}, over WebSocket`,
      urls: { public: overSocket(publicUrl), internal: overSocket(internalUrl), admin: overSocket(adminUrl) },
    },
  ]
}

interface Credentials {
  readonly registered: Registered
  readonly authUrl: string
  readonly user: string
  readonly project: string
  readonly domain: string
  readonly cacert: string | undefined
}

/** Those of `[keystone_authtoken]`, but for the password. */
function optionsOf({ registered, authUrl, user, project, domain, cacert }: Credentials): Record<string, string> {
  const { keystoneUrl } = registered
  return {
    ...(keystoneUrl !== null && keystoneUrl !== authUrl && { www_authenticate_uri: keystoneUrl }),
    auth_url: authUrl,
    ...(cacert && { cafile: cacert }),
    auth_type: 'password',
    username: user,
    user_domain_name: domain,
    project_name: project,
    project_domain_name: domain,
  }
}

function linesOf(steps: readonly Step[], dryRun: boolean): string {
  const words = {
    there: 'is there',
    created: dryRun ? 'would be created' : 'created',
    changed: dryRun ? 'would be changed' : 'changed',
  }
  const width = Math.max(...Object.values(words).map((word) => word.length))
  const lines = steps.map(({ what, outcome }) => `${words[outcome].padEnd(width)}  ${what}`)
  if (steps.every(({ outcome }) => outcome === 'there')) lines.push('nothing to change')
  return lines.map((line) => `${line}\n`).join('')
}
