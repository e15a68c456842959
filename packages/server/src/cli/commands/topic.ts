import type { ZaqarCommand } from '../command.ts'
import type { Shell } from '../shell.ts'
import * as collections from './collections.ts'

const topics: collections.Collection = {
  noun: 'topic',
  example: 'news',
  list: (zaqar, options) => zaqar.topics(options),
  open: (zaqar, name) => zaqar.topic(name),
}

export function defineTopic(command: ZaqarCommand, shell: Shell): void {
  command.description('Topics of the project: they have what queues have, but claims, and names of their own.')
  collections.defineList(command.command('list'), shell, topics)
  collections.defineCreate(command.command('create'), shell, topics)
  collections.defineShow(command.command('show'), shell, topics)
  collections.defineSet(command.command('set'), shell, topics)
  collections.defineUnset(command.command('unset'), shell, topics)
  collections.defineStats(command.command('stats'), shell, topics)
  collections.definePurge(command.command('purge'), shell, topics)
  collections.defineDelete(command.command('delete'), shell, topics)
}
