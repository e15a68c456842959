import { notYet, type OptionGroup, withoutEffect } from '../option.ts'

/** Ordered: an exact name stands before the pattern that covers it. */
export const drivers = [
  {
    name: 'drivers',
    options: [
      { name: 'transport', noEffect: 'HTTP is served, whatever it says' },
      { name: 'message_store', noEffect: 'the store follows from [storage] uri', aliases: ['storage'] },
      { name: 'management_store', noEffect: 'the store follows from [storage] uri' },
    ],
  },
  {
    name: 'drivers:message_store:redis',
    aliases: ['drivers:storage:redis'],
    options: [
      { name: 'uri', noEffect: 'stands in for [storage] uri only where that is not set and message_store is redis' },
    ],
    others: notYet,
  },
  {
    name: 'drivers:message_store:mongodb',
    aliases: ['drivers:storage:mongodb'],
    options: [],
    others: 'the settings of MongoDB, which is no store of this server',
  },
  {
    name: 'drivers:message_store:swift',
    options: [],
    others: 'the settings of Swift, which is no store of this server',
  },
  {
    name: 'drivers:message_store:*',
    options: [
      {
        name: 'uri',
        noEffect:
          'stands in for [storage] uri only where that is not set, message_store is this one and it is PostgreSQL',
      },
    ],
    others: 'the store follows from [storage] uri',
  },
  {
    name: 'drivers:management_store:*',
    aliases: ['drivers:storage:sqlalchemy'],
    options: [],
    others: 'queues and messages have one store, [storage] uri',
  },
  {
    name: 'drivers:transport:websocket',
    options: withoutEffect('there is no WebSocket listener in this version', [
      'bind',
      'port',
      'external_port',
      'notification_bind',
      'notification_port',
    ]),
  },
] as const satisfies readonly OptionGroup[]
