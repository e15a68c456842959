import type { Instant } from 'zaqar/storage'

type Method = (params: never) => Promise<unknown>

/** The methods of a store as plain functions: the model is synchronous, so each of its moves is atomic by itself. */
export type Moves<Store> = {
  readonly [Name in keyof Store]: Store[Name] extends (params: infer Params) => Promise<infer Result>
    ? (params: Params) => Result
    : never
}

/** Makes promises of the answers. `before` goes before every move, and may refuse it by throwing. */
export function asStore<Store extends Record<keyof Store, Method>>(
  moves: Moves<Store>,
  before: (params: { readonly now?: Instant }) => void,
): Store {
  const methods = Object.entries<(params: never) => unknown>(moves).map(([name, move]) => [
    name,
    async (params: never) => {
      before(params)
      return move(params)
    },
  ])
  return Object.fromEntries(methods)
}
