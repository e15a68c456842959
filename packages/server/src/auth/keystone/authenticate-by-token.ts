import type { Asker, Authenticate, Identity, ShownCredentials, Unauthenticated } from '../../core/identity.ts'
import { isCovered } from './access-rules.ts'
import { KeystoneUnavailable } from './keystone-api.ts'
import { Departed } from './look-ups.ts'
import type { RareTroubles } from './rare-troubles.ts'
import type { Token } from './token-document.ts'
import type { TokenVerifier } from './token-verifier.ts'

export interface TokenRules {
  /** Address that callers without a token are sent to. */
  readonly askAt: string
  /** In lower case. A service token with one of them makes an expired token of the user good for a while longer. */
  readonly serviceRoles: readonly string[]
  /** Whether a service token without one of these roles is refused. */
  readonly serviceRolesRequired: boolean
  readonly serviceType: string
}

/** Believes what Keystone says of the token, and no header that says who somebody is. (contract auth-policy.md 2.2) */
export function createTokenAuthentication(
  verifier: TokenVerifier,
  rules: TokenRules,
  troubles: RareTroubles,
): Authenticate {
  const rejection: Unauthenticated = { rejected: 'token', askAt: rules.askAt }

  const accept = (token: Token | null, shown: ShownCredentials, service: Token | null): Identity | Unauthenticated => {
    if (token === null) return rejection
    const { identity, accessRules } = token
    if (service !== null) return { ...identity, serviceRoles: service.identity.roles }
    const isRestricted = accessRules !== null && !isCovered(accessRules, { ...shown, service: rules.serviceType })
    return isRestricted ? rejection : identity
  }

  const withService = async (userToken: string, serviceToken: string, shown: ShownCredentials, asker: Asker) => {
    const service = await verifier.verify(serviceToken, asker)
    if (service === null) return rejection
    const isService = service.identity.roles.some((role) => rules.serviceRoles.includes(role))
    if (rules.serviceRolesRequired && !isService) return rejection
    const token = await verifier.verify(userToken, asker, isService)
    // Who passes a request on has taken it under these rules before; whoever merely says so has not.
    return accept(token, shown, isService ? service : null)
  }

  const ask = (shown: ShownCredentials, asker: Asker): ReturnType<Authenticate> => {
    const { 'x-auth-token': userToken, 'x-service-token': serviceToken } = shown.headers
    if (typeof userToken !== 'string' || userToken === '') return rejection
    if (typeof serviceToken === 'string' && serviceToken !== '') {
      return withService(userToken, serviceToken, shown, asker)
    }
    const token = verifier.verify(userToken, asker)
    return token instanceof Promise ? token.then((one) => accept(one, shown, null)) : accept(token, shown, null)
  }

  const toRejection = (error: unknown): Unauthenticated => {
    if (!(error instanceof KeystoneUnavailable)) throw error
    return { rejected: 'unknown', cause: error instanceof Departed ? null : troubles.next(error) }
  }

  return (shown, asker) => {
    const answer = ask(shown, asker)
    return answer instanceof Promise ? answer.catch(toRejection) : answer
  }
}
