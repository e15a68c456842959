/** The store that a file of upstream names. */
import { findGroup, findOption, rowOf } from './find-option.ts'
import type { Option } from './option.ts'
import type { Setting, Settings } from './settings.ts'

/**
 * Where `[storage] uri` is not set, the address of upstream's message store stands in for it, if that is a Redis or
 * PostgreSQL.
 */
export function adoptMessageStore(values: ReadonlyMap<Option, Setting>): ReadonlyMap<Option, Setting> {
  const storage = rowOf('storage', 'uri').option
  const driver = values.get(rowOf('drivers', 'message_store').option)
  const group = driver && findGroup(`drivers:message_store:${driver.text}`)
  const option = group && findOption(group, 'uri')
  const address = option && values.get(option)
  if (values.has(storage) || !address || !/^(rediss?|postgres(ql)?(\+\w+)?):/.test(address.text)) return values
  const adopted = new Map(values).set(storage, address)
  adopted.delete(option)
  return adopted
}

/**
 * A problem, at most one, where settings name a store of upstream that this server cannot use and none that it can: it
 * must not put messages into a new file in the current folder without a word.
 */
export function strandedStore(values: ReadonlyMap<Option, Setting>, unlisted: Settings['unlisted']): string[] {
  if (values.has(rowOf('storage', 'uri').option)) return []
  const naming = [...values.values(), ...unlisted].filter(namesStore)
  const { origin, group, name } = naming.find(({ name }) => name === 'message_store') ?? naming[0] ?? {}
  if (origin === undefined) return []
  return [
    `${origin}: [${group}] ${name}: this server does not keep messages there. Say where it keeps them, with [storage] uri ` +
      'or --storage, for example sqlite:/var/lib/zaqar/zaqar.db. It starts empty: let consumers finish what the old store ' +
      'holds, or read it there and post it here over the API',
  ]
}

function namesStore({ row, name }: Setting): boolean {
  if (row.name === 'drivers') return name !== 'transport'
  return name === 'uri' && /^drivers:(message|management)_store:/.test(row.name)
}
