import { StorageUnavailable } from '../../../storage/contract.ts'
import { defineOperation } from '../../execute.ts'

/** Whether the storage can read and write. */
export const ping = defineOperation({
  name: 'ping.get',
  permission: 'ping:get',
  failure: 'The storage is not alive',
  async run(_input: undefined, { storage }): Promise<boolean> {
    try {
      await storage.ping()
      return true
    } catch (error) {
      if (error instanceof StorageUnavailable) return false
      throw error
    }
  },
})

/** Resolves as soon as the service answers at all. */
export const answer = defineOperation({
  name: 'ping.answer',
  permission: 'ping:get',
  failure: 'The service is not alive',
  run: async (_input: undefined): Promise<void> => {},
})
