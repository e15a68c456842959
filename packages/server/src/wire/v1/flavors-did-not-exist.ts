import { removed } from '../older.ts'

/** Pools were all alike. (contract http.md 1.1) */
export const flavorsDidNotExist = removed(({ path }) => path.startsWith('/flavors'))
