import { isLoopback } from '../../config/loopback.ts'
import type { CatalogueEntry, KeystoneToken } from './ask-keystone.ts'
import type { Findings } from './finding.ts'
import type { Subject } from './subject.ts'

/** Whom Keystone's own rules let judge the tokens of others. */
const VALIDATORS = ['admin', 'service']
const REGISTER = 'zaqar keystone register'

export async function checkKeystone(
  findings: Findings,
  { config, keystone }: Pick<Subject, 'config' | 'keystone'>,
): Promise<void> {
  const { authUrl, serviceType } = config.keystone
  if (keystone === null) {
    findings.ok('Keystone is not used: [DEFAULT] auth_strategy is not keystone')
    return
  }
  const answers = await keystone
  if ('unreachable' in answers) {
    findings.error(answers.unreachable, 'start Keystone, or correct auth_url and cafile of [keystone_authtoken]')
  } else if ('refused' in answers) {
    findings.error(
      `Keystone at ${authUrl} gives the service no token: ${answers.refused}`,
      `correct user, password, project and domains of [keystone_authtoken]; ${REGISTER} makes the user`,
    )
  } else {
    findings.ok(`Keystone at ${authUrl} gives the service a token, in ${answers.tookMs} ms`)
    checkRights(findings, answers)
    const hasPublicUrl = config.notification.publicUrl !== null
    checkCatalogue(findings, answers.catalogue, { serviceType, hasPublicUrl })
  }
}

function checkRights(findings: Findings, { roles, project, trustee }: KeystoneToken): void {
  const where = project === null ? '' : ` in the project ${project}`
  const held = roles.length === 0 ? 'no role' : `the role${roles.length > 1 ? 's' : ''} ${roles.toSorted().join(', ')}`
  if (trustee !== null && trustee.objection !== null) {
    findings.error(`the trustee: ${trustee.objection}`, 'correct [trustee], and the role of the service user')
  } else if (trustee !== null) findings.ok('the trustee gets a token, and the service may validate it')
  else if (roles.some((role) => VALIDATORS.includes(role))) {
    findings.ok(`the service user has ${held}${where}, which lets it validate tokens`)
  } else {
    findings.warning(
      `the service user has ${held}${where}: Keystone's own rules let only ${VALIDATORS.join(' and ')} validate tokens`,
      `give it the role service, as ${REGISTER} does, or see to it that identity:validate_token lets it`,
    )
  }
}

function checkCatalogue(
  findings: Findings,
  catalogue: readonly CatalogueEntry[],
  { serviceType, hasPublicUrl }: { readonly serviceType: string; readonly hasPublicUrl: boolean },
): void {
  const services = catalogue.filter(({ type }) => type === serviceType)
  const url = publicUrlOf(services)
  if (url === null) {
    findings.warning(
      `the catalogue has no public endpoint of type ${serviceType}: clients do not find the service by it`,
      `${REGISTER} --public-url URL`,
    )
    return
  }
  findings.ok(`the catalogue says that ${serviceType} is at ${url}`)
  if (!services.some(({ name }) => name === 'zaqar') && !hasPublicUrl) {
    findings.warning(
      'no service in the catalogue is named zaqar: subscribers who have to confirm are not told where',
      'set [notification] public_url',
    )
  }
  const { protocol, hostname = '' } = URL.parse(url) ?? {}
  if (protocol === 'http:' && !isLoopback(hostname)) {
    findings.warning(
      `clients are led to ${url}, without encryption: whoever listens takes their tokens`,
      'let a proxy, or [ssl], speak HTTPS, and register that address',
    )
  }
}

export function publicUrlOf(services: readonly CatalogueEntry[]): string | null {
  const endpoints = services.flatMap((service) => service.endpoints ?? [])
  return endpoints.find((endpoint) => endpoint.interface === 'public')?.url ?? null
}
