import { defineOperation } from '../../execute.ts'

/** A flavor that does not exist is no error. */
export const deleteFlavor = defineOperation({
  name: 'flavors.delete',
  permission: 'flavors:delete',
  failure: 'Flavor could not be deleted',
  run: ({ name }: { readonly name: string }, { caller, storage }) =>
    storage.pools.deleteFlavor({ project: caller.project, name }),
})
