import { StorageUnavailable } from 'zaqar/storage'

type Method = (params: never) => Promise<unknown>

/** The methods of a store as plain functions: the model is synchronous, so each of its moves is atomic by itself. */
export type Moves<Store> = {
  readonly [Name in keyof Store]: Store[Name] extends (params: infer Params) => Promise<infer Result>
    ? (params: Params) => Result
    : never
}

/** Makes promises of the answers, and refuses every move once `isClosed`. */
export function asStore<Store extends Record<keyof Store, Method>>(
  moves: Moves<Store>,
  isClosed: () => boolean,
): Store {
  const methods = Object.entries<(params: never) => unknown>(moves).map(([name, move]) => [
    name,
    async (params: never) => {
      if (isClosed()) throw new StorageUnavailable('the storage is closed')
      return move(params)
    },
  ])
  return Object.fromEntries(methods)
}
