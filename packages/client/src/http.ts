export { type Auth, type KeystoneAuth, type Named, type SignedUrl, signedHeaders } from './auth.ts'
export { type ChangesOptions, changesBetween } from './changes-between.ts'
export { Claim, type ClaimTerms } from './claim.ts'
export type * from './documents.ts'
export * from './errors.ts'
export { KeystoneTokens } from './keystone.ts'
export type { ClaimOptions, Exchanged, Finished, Queue, ShareTerms } from './queue.ts'
export type { CallOptions } from './requests.ts'
export { storesOf } from './stores-of.ts'
export type {
  FollowOptions,
  ListOptions,
  MetadataChange,
  NewMessage,
  Page,
  PostOptions,
  SubscribeTerms,
  Topic,
} from './topic.ts'
export { type ListQueuesOptions, type MoveOptions, type PoolTerms, Zaqar, type ZaqarOptions } from './zaqar.ts'
