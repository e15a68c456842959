import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { allVersions } from '../../src/wire/all-versions.ts'
import { v2 } from '../../src/wire/v2/version.ts'
import { withoutAdmin } from '../../src/wire/versions.ts'
import { socketDoors } from '../../src/wire/websocket/doors.ts'
import type { AnySocketDoor } from '../../src/wire/websocket/socket-door.ts'
import { freshService } from '../support/fresh-service.ts'

/** What upstream knows. (contract websocket.md 6) */
const OF_UPSTREAM = [
  ...['list', 'create', 'delete', 'get', 'get_stats', 'purge'].map((name) => `queue_${name}`),
  ...['post', 'list', 'get', 'get_many', 'delete', 'delete_many'].map((name) => `message_${name}`),
  ...['create', 'get', 'update', 'delete'].map((name) => `claim_${name}`),
  ...['create', 'list', 'get', 'delete'].map((name) => `subscription_${name}`),
  ...['ping_node', 'get_home_doc', 'check_node_health'],
  ...['list', 'create', 'get', 'update', 'delete'].flatMap((name) => [`pool_${name}`, `flavor_${name}`]),
]

/** What is done over HTTP alone. */
const OVER_HTTP_ALONE: Readonly<Record<string, string>> = {
  'queue messages.follow': 'a subscription does what an event stream does',
  'topic messages.follow': 'a subscription does what an event stream does',
}

type Named = Pick<AnySocketDoor, 'operation'>

function nameOf({ operation: { name, kind = 'queue' } }: Named): string {
  return `${kind} ${name}`
}

/** The operations of a door, whatever a body chooses. */
function operationsOf(door: AnySocketDoor): string[] {
  const others = [...(door.variants ?? []), ...(door.forTopics ? [door.forTopics] : [])]
  return [nameOf(door), ...others.flatMap(operationsOf)]
}

describe('the table of actions', () => {
  test('has all that upstream has', () => {
    const actions = socketDoors(v2)
    assert.deepEqual(
      OF_UPSTREAM.filter((action) => !actions.has(action)),
      [],
    )
  })

  test('has every operation that a client of HTTP has, but for those that say why not', () => {
    const reached = new Set([...socketDoors(v2).values()].flatMap(operationsOf))
    const missing = new Set(
      allVersions
        .at(-1)
        ?.doors.map(nameOf)
        .filter((name) => !reached.has(name)),
    )
    assert.deepEqual([...missing].sort(), Object.keys(OVER_HTTP_ALONE).sort())
  })

  test('asks operators only for what is for them', () => {
    const all = [...socketDoors(v2).keys()]
    const left = socketDoors(withoutAdmin(v2))
    const gone = all.filter((action) => !left.has(action))
    assert.deepEqual(
      gone.filter((action) => !/^(pool|flavor)_|^check_node_health$/.test(action)),
      [],
    )
    assert.equal(gone.length, 17)
  })
})

describe('what HTTP names in a path', () => {
  const given = freshService({ OS_SIGNED_URL__SECRET_KEY: 'a secret' })

  test('leads nowhere else: queues have their names, and nothing else a slash', async () => {
    const elsewhere = ['orders/messages/..', '', 'a b', '..%2F', 'ö']
    for (const queue_name of elsewhere) {
      for (const [action, more] of [
        ['queue_share', {}],
        ['queue_update', { changes: [] }],
        ['subscription_confirm', { subscription_id: 'x', confirmed: true }],
      ] as const) {
        const { status, body } = await given.socket.ask(action, { queue_name, ...more })
        assert.equal(status, 400, `${action} ${queue_name}`)
        assert.match(body.exception, /queue name/, action)
      }
    }
    for (const pool_name of ['', 'a/b', '/']) {
      const body = { pool_name, uri: 'sqlite:///x.db', weight: 1 }
      const reply = await given.socket.ask('pool_create', body, { headers: { 'X-Roles': 'admin' } })
      assert.equal(reply.status, 400)
      assert.match(reply.body.exception, /pool_name/)
    }
  })

  test('what HTTP would say is wrong with a document or a parameter is said here', async () => {
    const admin = { headers: { 'X-Roles': 'admin' } }
    const refused = [
      ['pool_create', { pool_name: 'east', uri: 'sqlite:///x.db', weight: -1 }, 'weight'],
      ['pool_create', { pool_name: 'east', uri: 'sqlite:///x.db', weight: 1, wight: 1 }, 'wight'],
      ['pool_list', { limit: 0 }, 'Limit'],
      ['topic_list', { limit: 21 }, 'Limit'],
      ['queue_share', { queue_name: 'jobs', paths: ['stats'] }, 'paths'],
      ['queue_update', { queue_name: 'jobs', changes: [{ op: 'move', path: '/metadata/a' }] }, 'operation'],
      ['topic_create', { topic_name: 'news', metadata: { _default_message_ttl: 1 } }, '_default_message_ttl'],
    ] as const
    for (const [action, body, mentions] of refused) {
      const reply = await given.socket.ask(action, body, admin)
      assert.equal(reply.status, 400, `${action} ${JSON.stringify(reply.body)}`)
      assert.ok(reply.body.exception.includes(mentions), `${action}: ${reply.body.exception}`)
    }
  })

  test('nothing has failed of what is pushed, so that nothing is replayed', async () => {
    const named = { queue_name: 'jobs' }
    const { subscription_id } = (await given.socket.ask('subscription_create', named)).body
    const reply = await given.socket.ask('subscription_replay', { ...named, subscription_id })
    assert.deepEqual([reply.status, reply.body], [200, { replayed: [], done: true }])
  })

  test('one subscription is changed over the socket and seen over HTTP, of a queue and of a topic', async () => {
    for (const kind of ['queue', 'topic']) {
      const named = { [`${kind}_name`]: 'jobs' }
      const hook = { ...named, subscriber: 'https://example.org/hook' }
      const { subscription_id } = (await given.socket.ask('subscription_create', hook)).body
      const update = { ...named, subscription_id, ttl: 7200 }
      assert.equal((await given.socket.ask('subscription_update', update)).status, 204)
      const { text } = await given.client.get(`/v2/${kind}s/jobs/subscriptions/${subscription_id}`)
      assert.equal(JSON.parse(text).ttl, 7200)
    }
  })
})
