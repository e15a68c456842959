import { address, bool, choice, int, port } from '../kinds.ts'
import { notYet, type OptionGroup, withoutEffect } from '../option.ts'

const count = int({ min: 1, max: 1_000_000 })

/** Ordered: an exact name stands before the pattern that covers it. */
export const drivers = [
  {
    name: 'drivers',
    options: [
      {
        name: 'transport',
        key: 'websocket.transport',
        kind: choice('wsgi', 'websocket'),
        default: 'wsgi',
        meaning: 'With websocket, WebSocket is spoken on a port of its own as well, 9000; HTTP is served with either.',
      },
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
    options: [
      {
        name: 'enabled',
        key: 'websocket.enabled',
        kind: bool,
        default: 'true',
        meaning: 'Let clients of the HTTP port turn their connections into WebSockets, at any path.',
      },
      {
        name: 'bind',
        key: 'websocket.bind',
        kind: address,
        default: '127.0.0.1',
        meaning: 'Address to listen on at `port`.',
      },
      {
        name: 'port',
        key: 'websocket.port',
        kind: port,
        default: null,
        meaning:
          'Port where only WebSocket is spoken, beside the HTTP port; 0: one that is free. Not set: none, or 9000 where `[drivers] transport` is websocket.',
        flag: { name: 'websocket-port', value: 'N' },
      },
      {
        name: 'external_port',
        key: 'websocket.externalPort',
        kind: int({ min: 1, max: 65_535 }),
        default: null,
        meaning: 'The only port that the `Host` header of a handshake at `port` may name; not set: any.',
      },
      ...withoutEffect('messages are pushed without an endpoint', ['notification_bind', 'notification_port']),
      {
        name: 'ping_interval',
        key: 'websocket.pingIntervalSeconds',
        kind: int({ min: 1, max: 3600, unit: 'seconds' }),
        default: '30',
        meaning: 'Time between two pings of a connection; one that has not answered until the next is cut off.',
        reloads: true,
      },
      {
        name: 'idle_timeout',
        key: 'websocket.idleTimeoutSeconds',
        kind: int({ min: 1, max: 31_536_000, unit: 'seconds' }),
        default: '3600',
        meaning: 'A connection without a subscription is closed when it has asked for nothing in this time.',
        reloads: true,
      },
      {
        name: 'max_connections_per_project',
        key: 'websocket.maxConnectionsPerProject',
        kind: count,
        default: '1000',
        meaning: 'The most WebSockets of one project, on each process; further ones are closed.',
        reloads: true,
      },
      {
        name: 'max_subscriptions_per_project',
        key: 'websocket.maxSubscriptionsPerProject',
        kind: count,
        default: '10000',
        meaning: 'The most subscriptions of one project that push to WebSockets, on each process.',
      },
      {
        name: 'max_requests',
        key: 'websocket.maxRequests',
        kind: int({ min: 1, max: 10_000 }),
        default: '100',
        meaning:
          'The most requests of one connection that wait for messages at the same time; further ones are refused.',
        reloads: true,
      },
    ],
  },
] as const satisfies readonly OptionGroup[]
