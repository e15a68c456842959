import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Given, load, problemsOf } from './memory.ts'

const path = '/etc/zaqar/zaqar.conf'
const inFile = (content: string): Given => ({ files: { [path]: content } })

const refused: { name: string; given: Given; problems: string[] }[] = [
  {
    name: 'an unknown option with a near name',
    given: inFile('[transport]\n\nmax_mesage_ttl = 60'),
    problems: [`${path}:3: [transport] has no option max_mesage_ttl; did you mean max_message_ttl?`],
  },
  {
    name: 'an option with dashes',
    given: inFile('[transport]\nmax-message-ttl = 60'),
    problems: [`${path}:2: [transport] has no option max-message-ttl; did you mean max_message_ttl?`],
  },
  {
    name: 'an option in the wrong group',
    given: inFile('[DEFAULT]\nmax_message_ttl = 60'),
    problems: [`${path}:2: [DEFAULT] has no option max_message_ttl; it belongs to [transport]`],
  },
  {
    name: 'an option like no other',
    given: inFile('[transport]\nfrobnicate = 60'),
    problems: [`${path}:2: [transport] has no option frobnicate`],
  },
  {
    name: 'an unknown group, once',
    given: inFile('[transprot]\nmax_message_ttl = 60\nmax_claim_ttl = 60'),
    problems: [`${path}:2: there is no group [transprot]; did you mean [transport]?`],
  },
  {
    name: 'an unknown variable',
    given: { env: { OS_TRANSPORT__MAX_MESAGE_TTL: '60' } },
    problems: ['OS_TRANSPORT__MAX_MESAGE_TTL: [transport] has no option max_mesage_ttl; did you mean max_message_ttl?'],
  },
  {
    name: 'a variable of an unknown group',
    given: { env: { OS_TRANSPROT__MAX_MESSAGE_TTL: '60' } },
    problems: ['OS_TRANSPROT__MAX_MESSAGE_TTL: there is no group [transprot]; did you mean [transport]?'],
  },
  {
    name: 'a text for a number',
    given: inFile('[transport]\nmax_queues_per_page = many'),
    problems: [
      `${path}:2: [transport] max_queues_per_page: "many" was given, allowed is a whole number from 1 to 10000`,
    ],
  },
  {
    name: 'nothing for a number',
    given: { env: { OS_TRANSPORT__MAX_CLAIM_TTL: '' } },
    problems: [
      'OS_TRANSPORT__MAX_CLAIM_TTL: [transport] max_claim_ttl: "" was given, ' +
        'allowed is a whole number of seconds from 60 to 9999999999',
    ],
  },
  {
    name: 'a fraction',
    given: inFile('[http]\nrequest_timeout = 1.5'),
    problems: [
      `${path}:2: [http] request_timeout: "1.5" was given, allowed is a whole number of seconds from 1 to 3600`,
    ],
  },
  {
    name: 'a number below its range',
    given: { argv: ['--port', '65536'] },
    problems: ['--port: [drivers:transport:wsgi] port: "65536" was given, allowed is a whole number from 0 to 65535'],
  },
  {
    name: 'a truth value of another language',
    given: inFile('[DEFAULT]\nenable_checksum = ja'),
    problems: [
      `${path}:2: [DEFAULT] enable_checksum: "ja" was given, allowed is true or false (also 1, on, yes and 0, off, no)`,
    ],
  },
  {
    name: 'a word that is no choice',
    given: inFile('[transport]\nclient_id_uuid_safe = lax'),
    problems: [`${path}:2: [transport] client_id_uuid_safe: "lax" was given, allowed is strict or off`],
  },
  {
    name: 'an address that is none',
    given: { argv: ['--bind', '127.0.0.256'] },
    problems: [
      '--bind: [drivers:transport:wsgi] bind: "127.0.0.256" was given, allowed is an IP address or a host name',
    ],
  },
  {
    name: 'a reference to nothing',
    given: inFile('[DEFAULT]\ndata_dir = /a/$nothing'),
    problems: [
      `${path}:2: [DEFAULT] data_dir: there is no option $nothing, and a dollar sign is written $$`,
      '[storage] uri: there is no option $nothing, and a dollar sign is written $$',
    ],
  },
  {
    name: 'a reference in a circle',
    given: inFile(`[storage]\nuri = sqlite:\${storage.uri}`),
    problems: [`${path}:2: [storage] uri: it refers to itself`],
  },
  {
    name: 'a store without a scheme',
    given: { argv: ['--storage', '/var/lib/zaqar.db'] },
    problems: [
      '--storage: [storage] uri: /var/lib/zaqar.db was given, ' +
        'allowed is sqlite:PATH, postgres://USER:PASSWORD@HOST:PORT/DATABASE or module:PATH_OR_PACKAGE',
    ],
  },
  {
    name: 'a store that forgets',
    given: { argv: ['--storage', 'sqlite::memory:'] },
    problems: [
      '--storage: [storage] uri: sqlite::memory: was given, ' +
        'messages must outlive the process, allowed is sqlite:PATH, where PATH names a file',
    ],
  },
  {
    name: 'a store that is not served, without its password',
    given: { argv: ['--storage', 'mysql://zaqar:hunter2@db/zaqar'] },
    problems: [
      '--storage: [storage] uri: mysql://... was given, this version cannot keep messages there, ' +
        'allowed is sqlite:PATH, postgres://USER:PASSWORD@HOST:PORT/DATABASE or module:PATH_OR_PACKAGE',
    ],
  },
  {
    name: 'a database that is not named, without its password',
    given: { argv: ['--storage', 'postgres://zaqar:hunter2@db'] },
    problems: [
      '--storage: [storage] uri: postgres://... was given, ' +
        'host and database must be named: postgres://HOST/DATABASE',
    ],
  },
  {
    name: 'a listener at what is no PostgreSQL',
    given: inFile('[storage]\nlisten_uri = redis://:hunter2@cache'),
    problems: [
      `${path}:2: [storage] listen_uri: redis://... was given, allowed is postgres://USER:PASSWORD@HOST:PORT/DATABASE`,
    ],
  },
  {
    name: 'an engine that is not named',
    given: { argv: ['--storage', 'module:?password=hunter2'] },
    problems: [
      '--storage: [storage] uri: module:... was given, ' +
        'the path or the package of the engine is missing: module:PATH_OR_PACKAGE',
    ],
  },
  {
    name: 'the Redis of upstream, when no other store is named',
    given: inFile('[drivers]\nmessage_store = redis\n[drivers:message_store:redis]\nuri = redis://:hunter2@cache:6379'),
    problems: [
      `${path}:4: [drivers:message_store:redis] uri: redis://... was given, this version cannot keep messages there, ` +
        'allowed is sqlite:PATH, postgres://USER:PASSWORD@HOST:PORT/DATABASE or module:PATH_OR_PACKAGE',
    ],
  },
  ...(
    [
      [
        '[drivers]\nmessage_store = mongodb\n[drivers:message_store:mongodb]\nuri = mongodb://:hunter2@db',
        '2: [drivers] message_store',
      ],
      ['[drivers:message_store:mongodb]\nuri = mongodb://:hunter2@db', '2: [drivers:message_store:mongodb] uri'],
      ['[drivers:storage:mongodb]\nuri = mongodb://db', '2: [drivers:storage:mongodb] uri'],
      ['[drivers]\nmanagement_store = sqlalchemy\nmessage_store = swift', '3: [drivers] message_store'],
      ['[drivers]\nmessage_store = redis', '2: [drivers] message_store'],
      ['[drivers:management_store:sqlalchemy]\nuri = mysql://db/z', '2: [drivers:management_store:sqlalchemy] uri'],
    ] as const
  ).map(([content, at]) => ({
    name: `a store of upstream that this server cannot use, alone: ${at}`,
    given: inFile(content),
    problems: [
      `${path}:${at}: this server does not keep messages there. Say where it keeps them, with [storage] uri or --storage, ` +
        'for example sqlite:/var/lib/zaqar/zaqar.db. It starts empty: let consumers finish what the old store holds, or ' +
        'read it there and post it here over the API',
    ],
  })),
  ...['p/w', 'p?w', 'p#w', '123/w', '123#w'].map((password) => ({
    name: `a password of PostgreSQL that ends where the address goes on: ${password}`,
    given: { argv: ['--storage', `postgres://zaqar:${password}@db/zaqar`] },
    problems: [
      '--storage: [storage] uri: postgres://... was given, in the name and the password / is written %2F, ? %3F, # %23, @ %40 and % %25',
    ],
  })),
  ...['p%w', '100%'].map((password) => ({
    name: `a password of PostgreSQL that looks escaped but is not: ${password}`,
    given: { argv: ['--storage', `postgres://zaqar:${password}@db/zaqar`] },
    problems: ['--storage: [storage] uri: postgres://... was given, a per cent sign is written %25'],
  })),
  {
    name: 'authentication that could not happen',
    given: inFile('[DEFAULT]\nauth_strategy = keystone'),
    problems: [
      '[keystone_authtoken] auth_url: the address of Keystone is missing',
      '[keystone_authtoken] auth_type: it is missing, allowed is password or v3password or v3applicationcredential',
    ],
  },
  {
    name: 'authentication without a user',
    given: inFile(
      '[DEFAULT]\nauth_strategy = keystone\n[keystone_authtoken]\nauth_url = keystone:5000\nauth_type = password\n' +
        'delay_auth_decision = true\nsystem_scope = some',
    ),
    problems: [
      `${path}:4: [keystone_authtoken] auth_url: "keystone:5000" is no address that begins with http:// or https://`,
      `${path}:6: [keystone_authtoken] delay_auth_decision: requests without a valid token would pass, and nothing ` +
        'behind would stop them',
      `${path}:7: [keystone_authtoken] system_scope: allowed is all`,
      '[keystone_authtoken] username: the name of the service user is missing, and so is user_id',
      '[keystone_authtoken] password: the password of the service user is missing',
    ],
  },
  {
    name: 'authentication with half an application credential',
    given: inFile(
      '[DEFAULT]\nauth_strategy = keystone\n[keystone_authtoken]\nauth_url = https://keystone/v3\n' +
        'auth_type = v3applicationcredential\napplication_credential_name = zaqar',
    ),
    problems: [
      '[keystone_authtoken] application_credential_id: it is missing, and so is application_credential_name with a user',
      '[keystone_authtoken] application_credential_secret: it is missing',
    ],
  },
  {
    name: 'authentication that nobody knows',
    given: { env: { OS_DEFAULT__AUTH_STRATEGY: 'magic' } },
    problems: ['OS_DEFAULT__AUTH_STRATEGY: [DEFAULT] auth_strategy: "magic" was given, allowed is nothing or keystone'],
  },
  {
    name: 'everything that is wrong, at once and in order',
    given: {
      ...inFile('[DEFAULT]\ndebug = maybe\nnonsense\n[transport]\nfoo = 1\nmax_claim_ttl = 1'),
      argv: ['--port', 'x'],
    },
    problems: [
      `${path}:3: neither a [section] nor "name = value"`,
      `${path}:5: [transport] has no option foo`,
      `${path}:2: [DEFAULT] debug: "maybe" was given, allowed is true or false (also 1, on, yes and 0, off, no)`,
      `${path}:6: [transport] max_claim_ttl: "1" was given, allowed is a whole number of seconds from 60 to 9999999999`,
      '--port: [drivers:transport:wsgi] port: "x" was given, allowed is a whole number from 0 to 65535',
    ],
  },
]

for (const { name, given, problems } of refused) {
  test(`stops the start: ${name}`, () => assert.deepEqual(problemsOf(given), problems))
}

test('only the value that counts must be right', () => {
  const { config } = load({ ...inFile('[storage]\nuri = redis://cache'), argv: ['--storage', 'sqlite:/a.db'] })
  assert.deepEqual(config.storage.uri, { engine: 'sqlite', file: '/a.db' })
})

/** The whole address of a store, with what is secret in it. */
function storeOf(given: Given): object {
  const { uri } = load(given).config.storage
  return uri.engine === 'sqlite' ? uri : { ...uri, uri: uri.uri.reveal() }
}

test('the address of a store may be a full URI', () => {
  assert.deepEqual(storeOf(inFile('[storage]\nuri = sqlite:///var/lib/z.db')), {
    engine: 'sqlite',
    file: '/var/lib/z.db',
  })
  assert.deepEqual(storeOf(inFile('[storage]\nuri = sqlite:rel/z.db')), { engine: 'sqlite', file: 'rel/z.db' })
})

test('PostgreSQL may be the store, under any of the schemes it goes by', () => {
  const rest = '//zaqar:hunter2@db:5433/zaqar?sslmode=require'
  for (const scheme of ['postgres', 'postgresql', 'postgresql+psycopg2']) {
    const argv = ['--storage', `${scheme}:${rest}`]
    assert.deepEqual(storeOf({ argv }), { engine: 'postgres', uri: `postgres:${rest}` })
    assert.doesNotMatch(JSON.stringify(load({ argv }).config), /hunter2/)
  }
  const socket = 'postgres:///zaqar?host=/var/run/postgresql'
  assert.deepEqual(storeOf({ argv: ['--storage', socket] }), { engine: 'postgres', uri: socket })
})

test('a PostgreSQL that a file of upstream names is the store, unless another is named', () => {
  const upstream =
    '[drivers]\nmessage_store = sqlalchemy\n[drivers:message_store:sqlalchemy]\nuri = postgresql://zaqar@db/zaqar\n'
  assert.deepEqual(storeOf(inFile(upstream)), { engine: 'postgres', uri: 'postgres://zaqar@db/zaqar' })
  const other = { ...inFile(upstream), argv: ['--storage', 'sqlite:/a.db'] }
  assert.deepEqual(storeOf(other), { engine: 'sqlite', file: '/a.db' })
})

test('a file of upstream that names its store is taken once the store of this server is named', () => {
  const upstream = '[drivers]\nmessage_store = mongodb\n[drivers:message_store:mongodb]\nuri = mongodb://db\n'
  for (const given of [
    { ...inFile(upstream), argv: ['--storage', 'sqlite:/a.db'] },
    inFile(`${upstream}[storage]\nuri = sqlite:/a.db`),
    { ...inFile(upstream), env: { OS_STORAGE__URI: 'sqlite:/a.db' } },
  ]) {
    assert.deepEqual(storeOf(given), { engine: 'sqlite', file: '/a.db' })
  }
})

test('an engine of somebody else is named by its path or package, and reads the rest itself', () => {
  const path = 'module:./engine.js?folder=/tmp/x'
  assert.deepEqual(storeOf({ argv: ['--storage', path] }), { engine: 'module', module: './engine.js', uri: path })
  const name = 'module:@example/engine'
  assert.deepEqual(storeOf({ argv: ['--storage', name] }), { engine: 'module', module: '@example/engine', uri: name })
})

for (const bind of ['0.0.0.0', '::', '10.0.0.1', 'queue.example.org', '::ffff:10.0.0.1']) {
  test(`${bind} is served only when that is said to be wanted`, () => {
    assert.deepEqual(problemsOf({ argv: ['--bind', bind] }), [
      `--bind: [drivers:transport:wsgi] bind: other machines may reach ${bind}, and as there is no authentication, ` +
        'everybody there could read and write everything; if that is wanted, ' +
        'set [http] expose_without_authentication = true or give --expose-without-authentication',
    ])
    assert.equal(load({ argv: ['--bind', bind, '--expose-without-authentication'] }).config.http.bind, bind)
  })
}

test('another address for WebSocket is served only when that is said to be wanted, and only where it is listened at', () => {
  const bound = '[drivers:transport:websocket]\nbind = 0.0.0.0\n'
  const [problem = '', ...others] = problemsOf(inFile(`${bound}port = 9000\n`))
  assert.deepEqual(others, [])
  assert.match(problem, /:2: \[drivers:transport:websocket\] bind: other machines may reach 0\.0\.0\.0/)
  const wanted = '[http]\nexpose_without_authentication = true\n'
  assert.equal(load(inFile(`${bound}port = 9000\n${wanted}`)).config.websocket.port, 9000)
  assert.equal(load(inFile(bound)).config.websocket.port, null)
})

for (const bind of ['127.0.0.1', '127.1.2.3', '::1', 'localhost', '::ffff:127.0.0.1']) {
  test(`${bind} needs no permission`, () => assert.equal(load({ argv: ['--bind', bind] }).config.http.bind, bind))
}
