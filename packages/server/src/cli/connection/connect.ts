/** From what flags, files and variables say to a client of the service. docs/command-line.md tells users of it. */
import { readFileSync } from 'node:fs'
import tls from 'node:tls'
import type { Auth, ZaqarOptions } from 'zaqar-client/http'
import { diskFiles } from '../../platform/disk-files.ts'
import { parseExactly } from '../exact-json.ts'
import type { Shell } from '../shell.ts'
import { readSignedUrlFile } from '../signed-url-file.ts'
import { type CloudSettings, settingsOfEnvironment } from './cloud-settings.ts'
import { settingsOfCloud } from './clouds-file.ts'
import { ConnectionError } from './connection-error.ts'
import type { ConnectionFlags } from './connection-flags.ts'
import { keystoneAuthOf } from './keystone-auth.ts'

/** Where a service is that was started without a word. */
const USUAL_URL = 'http://127.0.0.1:8888'
/** Somebody waits: what does not answer is told of soon. */
const RETRIES = 2

/** Where the service is, and who asks. */
interface Target {
  readonly url?: string
  readonly auth?: Auth
  readonly project?: string
}

/** `asAdmin`: where the service asks nobody who they are, it is told of that role. @throws ConnectionError */
export async function connectionOf(flags: ConnectionFlags, shell: Shell, asAdmin: boolean): Promise<ZaqarOptions> {
  const { clientId, timeout } = flags
  const target = await targetOf(flags, shell)
  return {
    ...target,
    ...(asAdmin && target.auth === undefined && { fetch: fetchAsAdmin }),
    ...(clientId !== undefined && { clientId }),
    ...(timeout !== undefined && { timeout }),
    retries: RETRIES,
    parse: parseExactly,
  }
}

const fetchAsAdmin: typeof fetch = (input, { headers, ...init } = {}) =>
  fetch(input, { ...init, headers: { ...(headers as Record<string, string>), 'X-Roles': 'admin' } })

/** Of the ways to say it, the first that is there counts: a signed URL, a cloud by name, variables, no credentials. */
async function targetOf(flags: ConnectionFlags, shell: Shell): Promise<Target> {
  const { env } = shell
  const cloud = flags.osCloud ?? env['OS_CLOUD']
  if (flags.signedUrl !== undefined && flags.osCloud !== undefined) {
    throw new ConnectionError('--signed-url and --os-cloud both say who asks: give one of them')
  }
  if (flags.signedUrl !== undefined) {
    const { url, signed } = readSignedUrlFile(flags.signedUrl, diskFiles.readFile(flags.signedUrl))
    return { url: flags.url ?? url, auth: { signed } }
  }
  const settings = await cloudSettings(cloud, shell)
  const url = flags.url ?? (settings?.['messaging_endpoint_override'] || env['ZAQAR_URL'] || undefined)
  const project = flags.project ?? (env['ZAQAR_PROJECT'] || undefined)
  if (settings !== null && settings['auth_type'] !== 'none' && (cloud || settings['auth_url'] || settings['token'])) {
    trust(settings['cacert'])
    return { ...(url !== undefined && { url }), auth: authOf(settings, url, project) }
  }
  return { url: url ?? USUAL_URL, project: project ?? settings?.['project_id'] ?? 'default' }
}

/** Of the cloud with that name, or as the variables say; null where they say nothing. @throws ConnectionError */
export async function cloudSettings(cloud: string | undefined, shell: Shell): Promise<CloudSettings | null> {
  if (!cloud) return settingsOfEnvironment(shell.env)
  return settingsOfCloud(cloud, shell, { files: diskFiles, workingDir: process.cwd() })
}

/** A token whose service is named needs no Keystone. */
function authOf(settings: CloudSettings, url: string | undefined, project: string | undefined): Auth {
  if (settings['token'] && url !== undefined && !settings['auth_url']) return { token: settings['token'] }
  return { keystone: keystoneAuthOf(settings, project) }
}

/** Takes the authorities of a file as good, beside those that Node knows. */
export function trust(file: string | undefined): void {
  if (!file) return
  try {
    tls.setDefaultCACertificates([...tls.getCACertificates('default'), readFileSync(file, 'utf8')])
  } catch (error) {
    throw new ConnectionError(`the authorities in ${file} cannot be used: ${(error as Error).message}`)
  }
}
