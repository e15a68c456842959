import type { Instant } from '../../../model/model.ts'
import { ZaqarError } from '../../errors.ts'
import { defineOperation } from '../../execute.ts'
import { formatIsoTime } from '../../rules/iso-time.ts'
import { isMethod, type SignedTerms, sorted } from '../../rules/signature.ts'

export interface ShareQueueInput {
  readonly methods: readonly string[]
  /** Where the shared resources of the queue are served. */
  readonly paths: readonly string[]
  /** Undefined: a day from now. */
  readonly expiresAt?: Instant | undefined
}

const ONE_DAY_MS = 86_400_000

/**
 * Signs what whoever has the signature may do in the caller's project, without an account. The queue need not exist.
 */
export const shareQueue = defineOperation({
  name: 'queues.share',
  permission: 'queues:share',
  failure: 'Queue could not be shared',
  async run(input: ShareQueueInput, { caller, now, urlSigner }): Promise<SignedTerms & { signature: string }> {
    const { expiresAt = now + ONE_DAY_MS } = input
    const wrong = input.methods.find((method) => !isMethod(method))
    if (wrong !== undefined) throw new ZaqarError('share.no_method', { method: wrong })
    const expires = formatIsoTime(expiresAt)
    if (expires <= formatIsoTime(now)) throw new ZaqarError('share.expired')
    if (urlSigner === null) throw new ZaqarError('share.no_key')
    const terms = { paths: sorted(input.paths), methods: sorted(input.methods), project: caller.project, expires }
    const signature = urlSigner.sign(terms)
    if (signature === null) throw new ZaqarError('share.ambiguous_project')
    return { ...terms, signature }
  },
})
