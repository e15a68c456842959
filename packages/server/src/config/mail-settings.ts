import type { Config } from './options.ts'

/** Takes mail away: a command, or a server. `ca` is PEM text. */
type Carrier =
  | { readonly command: string }
  | {
      readonly host: string
      readonly port: number | null
      readonly security: 'tls' | 'starttls' | 'none'
      readonly login: { readonly user: string; readonly password: string } | null
      readonly ca: string | null
    }

/** What the channel for mail is made with. @throws Error with code ENOENT where the file of authorities is missing */
export function mailSettings(
  config: Config['mail'],
  files: { readFile(path: string): string | null },
): { readonly carrier: Carrier; readonly timeoutSeconds: number; readonly atOnce: number } {
  const { timeoutSeconds, atOnce } = config
  return { carrier: carrierOf(config, files), timeoutSeconds, atOnce }
}

function carrierOf(config: Config['mail'], files: { readFile(path: string): string | null }): Carrier {
  const { mode, command, host, port, security, userName, userPassword, caFile } = config
  if (mode === 'third_part') return { command }
  const login = userName ? { user: userName, password: userPassword?.reveal() ?? '' } : null
  const ca = caFile === null ? null : files.readFile(caFile)
  if (caFile !== null && ca === null)
    throw Object.assign(new Error(`[notification] smtp_ca_file: there is no file ${caFile}`), { code: 'ENOENT' })
  return { host: host ?? '', port, security, login, ca }
}
