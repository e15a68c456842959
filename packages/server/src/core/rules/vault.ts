import type { Instant } from '../../model/model.ts'

/** What the service keeps for itself about a subscription: nobody who may read the subscription sees it. */
export interface Vault {
  /** With which webhooks are signed, the newest first. */
  readonly secrets: readonly Secret[]
  /** The Keystone trust in whose name it is told; null: none. */
  readonly trust: Trust | null
}

interface Secret {
  /** Base64, of 24 to 64 bytes. */
  readonly key: string
  /** When it is used no more, having been replaced; null while it is the present one. */
  readonly until: Instant | null
}

export interface Trust {
  readonly id: string
  /** The only subscriber that may get a token of it: the URI as it was when the trust was made. */
  readonly subscriber: string
  /** The user in whose name it is told. */
  readonly trustorId: string | null
}

const EMPTY: Vault = { secrets: [], trust: null }

export function readVault(text: string | null): Vault {
  return text === null ? EMPTY : (JSON.parse(text) as Vault)
}

/** Null when there is nothing to keep. */
export function printVault({ secrets, trust }: Vault): string | null {
  return secrets.length === 0 && trust === null ? null : JSON.stringify({ secrets, trust })
}
