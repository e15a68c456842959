import { createHash } from 'node:crypto'
import type { Instant, Subscription } from '../../model/model.ts'

/** What the service keeps for itself about a subscription: nobody who may read the subscription sees it. */
export interface Vault {
  /** With which webhooks are signed, the newest first. */
  readonly secrets: readonly Secret[]
  /** The Keystone trust in whose name it is told; null: none. */
  readonly trust: Trust | null
}

export interface Secret {
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
  /** Of the options with which alone it is used, see `optionsDigest`: they say what is sent in the name of its maker. */
  readonly options: string
}

const EMPTY: Vault = { secrets: [], trust: null }

export function readVault(text: string | null): Vault {
  return text === null ? EMPTY : (JSON.parse(text) as Vault)
}

/** Null when there is nothing to keep. */
export function printVault({ secrets, trust }: Vault): string | null {
  return secrets.length === 0 && trust === null ? null : JSON.stringify({ secrets, trust })
}

/** `options`: as they are stored. */
export function optionsDigest(options: string): string {
  return createHash('sha256').update(options).digest('base64')
}

/** Whether what the subscription says by now is what its trust was made for. */
export function isTrustGoodFor(trust: Trust | null, { subscriber, options }: Subscription): trust is Trust {
  return trust?.subscriber === subscriber && trust.options === optionsDigest(options)
}
