import { existsSync } from 'node:fs'
import { readPolicy } from '../../auth/policy/policy-source.ts'
import { findGroup, findOption } from '../../config/find-option.ts'
import type { Loaded } from '../../config/load.ts'
import { isLoopback } from '../../config/loopback.ts'
import { isUsed } from '../../config/option.ts'
import type { Config } from '../../config/options.ts'
import { type Given, readConfigFile } from '../../config/sources.ts'
import { whyOneProcess } from '../../open-store.ts'
import { diskFiles } from '../../platform/disk-files.ts'
import type { Findings } from './finding.ts'

/** One that could be read: with problems, nothing can be examined at all. */
export async function checkConfiguration(
  findings: Findings,
  { config, sources, noEffect, warnings, folders }: Loaded,
): Promise<void> {
  findings.ok(sources.length === 0 ? 'nothing is configured: the defaults hold' : `read: ${sources.join(', ')}`)
  for (const line of noEffect) findings.warning(`no effect: ${line}`, 'take it out, so that nobody relies on it')
  for (const warning of warnings) findings.warning(warning, 'set it to what it is, or correct it')
  const policy = readPolicy({ ...config.policy, places: folders }, diskFiles)
  for (const problem of policy.problems)
    findings.error(`policy: ${problem}`, 'correct the file; zaqar policy list shows the rules')
  for (const warning of policy.warnings) findings.warning(`policy: ${warning}`, 'correct the file')
  checkOpenDoors(findings, config)
  const { workers } = config.http
  const objection = workers > 1 ? await whyOneProcess(config.storage.uri) : null
  if (objection !== null) findings.error(`${workers} workers, but ${objection}`, 'set workers = 1, or [storage] uri')
  for (const path of sources) checkSecretsIn(findings, path)
}

/** What lets in, or tells, more than most operators want. */
function checkOpenDoors(findings: Findings, { auth, http, keystone, cors, signedUrls, storage }: Config): void {
  if (auth.strategy !== 'keystone') {
    if (!isLoopback(http.bind)) {
      findings.warning(
        `nobody is asked who he is, and other machines may reach ${http.bind}: everybody there can read and write everything`,
        'set [DEFAULT] auth_strategy = keystone, or listen on 127.0.0.1',
      )
      if (http.allowedHosts.includes('*')) {
        findings.warning(
          '[http] allowed_hosts is *: any web page that somebody opens there can reach the service',
          'name the hosts that clients use',
        )
      }
    }
    if (storage.uri.engine === 'postgres' && !signedUrls.secretKey?.reveal()) {
      findings.warning(
        'each node signs URLs with a key of its own, which the others refuse',
        'give all the same [signed_url] secret_key',
      )
    }
  } else {
    if (keystone.insecure) {
      findings.warning(
        '[keystone_authtoken] insecure: whoever stands between can take the service password, and say who callers are',
        'set insecure = false, and cafile where the authority is one of your own',
      )
    }
    const { protocol, hostname = '' } = URL.parse(keystone.authUrl ?? '') ?? {}
    if (protocol === 'http:' && !isLoopback(hostname)) {
      findings.warning(
        `the service password and all tokens go to ${keystone.authUrl} without encryption`,
        'name an address that begins with https:// in [keystone_authtoken] auth_url',
      )
    }
  }
  if (http.credentialsInQuery) {
    findings.warning(
      '[http] credentials_in_query: tokens may stand in addresses, which proxies log',
      'set it to false where no page needs it',
    )
  }
  if (cors.allowCredentials && cors.allowedOrigins.includes('*')) {
    findings.warning(
      '[cors]: pages of all origins may use the credentials of whoever opens them',
      'name the origins in allowed_origin',
    )
  }
}

/** A file with passwords or keys is for the service alone. */
function checkSecretsIn(findings: Findings, path: string): void {
  // Variables and flags are among the sources as well.
  if (!existsSync(path)) return
  if (!diskFiles.isReadableByAll(path) || !readConfigFile(path, diskFiles).given.some(isSecret)) return
  findings.warning(`every user of this machine can read ${path}, which holds a password or a key`, `chmod o= ${path}`)
}

/** What is not shown where it is refused must not be shown at all. */
function isSecret({ group, name, text }: Given): boolean {
  const row = findGroup(group)
  const option = row && findOption(row, name)
  if (option === null || !isUsed(option)) return false
  return option.kind.show === undefined ? /^a secret/.test(option.kind.allowed) : hasPassword(text)
}

function hasPassword(uri: string): boolean {
  const [, account] = /^[a-z+]+:\/\/([^/@]*)@/i.exec(uri) ?? []
  return account?.includes(':') ?? false
}
