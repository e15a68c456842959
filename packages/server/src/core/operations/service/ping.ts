import { defineOperation } from '../../execute.ts'

/** Resolves when the storage can read and write. */
export const ping = defineOperation({
  name: 'ping.get',
  permission: 'ping:get',
  failure: 'The storage is not alive',
  run: (_input: undefined, { storage }) => storage.ping(),
})

/** Resolves as soon as the service answers at all. */
export const answer = defineOperation({
  name: 'ping.answer',
  permission: 'ping:get',
  failure: 'The service is not alive',
  run: async (_input: undefined): Promise<void> => {},
})
