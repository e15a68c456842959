import {
  type Asker,
  type Authenticate,
  type Identity,
  TOKEN_NOT_ACCEPTED,
  type Unauthenticated,
} from '../../core/identity.ts'
import { EVERYTHING } from '../../core/rules/scope.ts'
import { KeystoneUnavailable } from './keystone-connection.ts'
import { Departed } from './look-ups.ts'
import type { RareTroubles } from './rare-troubles.ts'
import type { Token } from './token-document.ts'
import type { TokenVerifier } from './token-verifier.ts'

export interface TokenRules {
  /** In lower case. A service token with one of them makes an expired token of the user good for a while longer. */
  readonly serviceRoles: readonly string[]
  /** Whether a service token without one of these roles spoils the request. */
  readonly serviceRolesRequired: boolean
}

/**
 * Believes what Keystone says of the token, and nothing that callers say of themselves. (contract auth-policy.md 2.2)
 */
export function createTokenAuthentication(
  verifier: TokenVerifier,
  rules: TokenRules,
  troubles: RareTroubles,
): Authenticate {
  const withService = async (userToken: string, serviceToken: string, asker: Asker) => {
    const service = await verifier.verify(serviceToken, asker)
    if (service === null) return TOKEN_NOT_ACCEPTED
    const isService = service.identity.roles.some((role) => rules.serviceRoles.includes(role))
    if (rules.serviceRolesRequired && !isService) return TOKEN_NOT_ACCEPTED
    const token = await verifier.verify(userToken, asker, isService)
    return token !== null && isService ? passedOn(token, service) : identityOf(token)
  }

  const ask: Authenticate = ({ token: userToken, serviceToken }, asker) => {
    if (!userToken) return TOKEN_NOT_ACCEPTED
    if (serviceToken) return withService(userToken, serviceToken, asker)
    const token = verifier.verify(userToken, asker)
    return token instanceof Promise ? token.then(identityOf) : identityOf(token)
  }

  const toUnauthenticated = (error: unknown): Unauthenticated => {
    if (!(error instanceof KeystoneUnavailable)) throw error
    return { unauthenticated: 'token.unverified', cause: error instanceof Departed ? null : troubles.next(error) }
  }

  return (shown, asker) => {
    const answer = ask(shown, asker)
    return answer instanceof Promise ? answer.catch(toUnauthenticated) : answer
  }
}

function identityOf(token: Token | null): Identity | Unauthenticated {
  return token === null ? TOKEN_NOT_ACCEPTED : token.identity
}

/**
 * A service that passes a request on has taken it under the rules and before the end of the user's token; whoever
 * merely says to be one has not. The service's own token says how long that holds.
 */
function passedOn({ identity }: Token, service: Token): Identity {
  const { roles: serviceRoles, expiresAt } = service.identity
  return { ...identity, serviceRoles, scope: EVERYTHING, expiresAt }
}
