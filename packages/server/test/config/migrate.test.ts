import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { evaluate } from '../../src/config/evaluate.ts'
import { rowOf } from '../../src/config/find-option.ts'
import { readIni } from '../../src/config/ini.ts'
import { ConfigError } from '../../src/config/load.ts'
import { type MigrateParams, type Migration, migrate } from '../../src/config/migrate.ts'
import type { Config } from '../../src/config/options.ts'
import { isSame } from '../../src/config/same-value.ts'
import { recognise } from '../../src/config/settings.ts'
import { readConfigFile } from '../../src/config/sources.ts'
import { adoptMessageStore } from '../../src/config/upstream-store.ts'
import { assignment } from '../../src/config/write-ini.ts'
import { loadFile } from './memory.ts'

const here = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8')

/** Files by path. */
function migrateFiles(files: Record<string, string>, params: Partial<MigrateParams> = {}): Migration {
  return migrate({
    paths: Object.keys(files),
    files: { readFile: (path) => files[path] ?? null, listFolder: () => null, stamp: () => null },
    dataDir: '/var/lib/zaqar',
    storageUri: null,
    resultName: 'new.conf',
    ...params,
  })
}

/** `[group] option` to what becomes of it. */
function outcomes({ options }: Migration): Record<string, string> {
  return Object.fromEntries(options.map(({ group, option, outcome }) => [`[${group}] ${option}`, outcome]))
}

const MINIMAL = '[DEFAULT]\nadmin_mode = true\nenable_deprecated_api_versions = 1.1\ndata_dir = /d\n'

test('a file of an installation is taken over: the result is accepted, and has nothing without effect', () => {
  const { content, problems } = migrateFiles({ '/etc/zaqar/zaqar.conf': here('upstream.conf') })
  assert.deepEqual(problems, [])
  const { config, noEffect } = loadFile(content)
  assert.deepEqual(noEffect, [])
  assert.equal(config.keystone.password?.reveal(), 'secr$et')
  assert.equal(config.limits.maxMessagesPostBytes, 524288)
  assert.equal(config.storage.uri.engine === 'sqlite' && config.storage.uri.file, '/var/lib/zaqar/zaqar.db')
})

test('an option is kept, renamed, translated, overridden, without effect, refused or unknown', () => {
  const migration = migrateFiles({
    a: '[DEFAULT]\ndebug = true\nlog_dir = /var/log\nadmin_mode = yes\n[limits:transport]\nclaim_ttl_max = 600\n',
    b: '[DEFAULT]\ndebug = false\nmy_ip = 192.0.2.1\n[transport]\nmax_message_ttl = 10\n',
    c: '[cors]\nallowed_origin = https://$nowhere\n[oslo_policy]\npolicy_dirs = x\npolicy_dirs = y\n',
  })
  assert.deepEqual(outcomes(migration), {
    '[DEFAULT] data_dir': 'added',
    '[DEFAULT] enable_deprecated_api_versions': 'added',
    '[DEFAULT] debug': 'kept',
    '[DEFAULT] log_dir': 'no effect',
    '[DEFAULT] admin_mode': 'kept',
    '[DEFAULT] my_ip': 'unknown',
    '[limits:transport] claim_ttl_max': 'renamed',
    '[transport] max_message_ttl': 'refused',
    '[cors] allowed_origin': 'refused',
    '[oslo_policy] policy_dirs': 'kept',
  })
  const { outcome, note } = migration.options.find(({ origin }) => origin === 'a:2') ?? {}
  assert.deepEqual([outcome, note], ['overridden', 'b:2 says otherwise'])
  assert.deepEqual(migration.problems, [
    'b:5: [transport] max_message_ttl: left out: allowed is a whole number of seconds from 60 to 9999999999',
    'c:2: [cors] allowed_origin: left out: there is no option $nowhere, and a dollar sign is written $$',
  ])
  assert.deepEqual(loadFile(migration.content).config.policy.folders, ['x', 'y'])
  for (const option of migration.options.filter(({ becomes }) => becomes === null)) {
    assert.ok(migration.content.includes(`# ${option.origin}: [${option.group}] ${option.option}: ${option.outcome}: `))
  }
})

test('what a value refers to is written out, dollar signs stay what they are', () => {
  const { content, options } = migrateFiles({
    a: `${MINIMAL}[keystone_authtoken]\nauth_url = https://$username/v3\nusername = a$$b\npassword = \${trustee.password}x\n[trustee]\npassword = p\n`,
  })
  const { config } = loadFile(content)
  const { authUrl, username, password } = config.keystone
  assert.deepEqual([authUrl, username, password?.reveal()], ['https://a$b/v3', 'a$b', 'px'])
  assert.deepEqual(
    options.filter(({ outcome }) => outcome === 'translated').map(({ option }) => option),
    ['auth_url', 'password'],
  )
})

describe('where messages are kept', () => {
  const stored = (uri: string) =>
    `${MINIMAL}[drivers]\nmessage_store = redis\n[drivers:message_store:redis]\nuri = ${uri}\n`

  test('is a PostgreSQL that the files name', () => {
    const migration = migrateFiles({ a: stored('postgresql+psycopg2://z:secret@db/zaqar') })
    assert.deepEqual(migration.problems, [])
    assert.equal(outcomes(migration)['[drivers:message_store:redis] uri'], 'renamed')
    const { uri } = loadFile(migration.content).config.storage
    assert.equal(uri.engine === 'postgres' && uri.uri.reveal(), 'postgres://z:secret@db/zaqar')
  })

  test('is the data folder where the files name a store that is none here', () => {
    const migration = migrateFiles({ a: stored('redis://:secret@db') })
    assert.deepEqual(migration.problems, [])
    assert.equal(outcomes(migration)['[drivers:message_store:redis] uri'], 'no effect')
    assert.doesNotMatch(migration.content, /secret/)
    assert.deepEqual(loadFile(migration.content).config.storage.uri, { engine: 'sqlite', file: '/d/zaqar.db' })
  })

  test('is what the command line says, whatever the files do', () => {
    for (const uri of ['redis://db', 'postgres://db/old']) {
      const migration = migrateFiles({ a: stored(uri) }, { storageUri: 'sqlite:/srv/$x.db' })
      assert.deepEqual(migration.problems, [])
      assert.deepEqual(loadFile(migration.content).config.storage.uri, { engine: 'sqlite', file: '/srv/$x.db' })
    }
    const again = migrateFiles({ a: `${MINIMAL}[storage]\nuri = sqlite:/a.db\n` }, { storageUri: 'sqlite:/b.db' })
    assert.equal(again.options.at(-1)?.outcome, 'overridden')
    assert.deepEqual(loadFile(again.content).config.storage.uri, { engine: 'sqlite', file: '/b.db' })
  })
})

test('what upstream has off and nobody has set is written out', () => {
  const { content } = migrateFiles({ a: '[DEFAULT]\n' })
  const { api } = loadFile(content).config
  assert.deepEqual([api.adminMode, api.deprecatedVersions], [false, []])
})

test('what would stop a start is named by its place in the result', () => {
  const { problems } = migrateFiles({
    a: `${MINIMAL}auth_strategy = keystone\n[drivers:transport:wsgi]\nbind = 0.0.0.0\n`,
  })
  assert.deepEqual(
    problems.map((problem) => problem.split(': ', 2)),
    [
      ['[keystone_authtoken] auth_url', 'the address of Keystone is missing'],
      ['[keystone_authtoken] auth_type', 'it is missing, allowed is password or v3password or v3applicationcredential'],
    ],
  )
  const exposed = migrateFiles({ a: `${MINIMAL}[drivers:transport:wsgi]\nbind = 0.0.0.0\n` })
  assert.match(exposed.problems.join('\n'), /^new\.conf:10: \[drivers:transport:wsgi\] bind: other machines may reach/)
})

test('a file that is missing or not of this form gives no result', () => {
  assert.throws(() => migrateFiles({}, { paths: ['no'] }), new ConfigError(['no: there is no such file']))
  assert.throws(
    () => migrateFiles({ a: 'password secret\n' }),
    /^ConfigError: a:1: neither a \[section\] nor "name = value"$/,
  )
})

test('a text is read again as it was written', () => {
  const part = fc.stringMatching(/^[a-z"'#;[\]=:$\\ -]*$/)
  // A reader takes blanks away around lines behind the first, and ends at an empty one.
  const further = part.map((text) => text.trim()).filter((text) => text !== '')
  const texts = fc.tuple(part, fc.array(further, { maxLength: 2 })).map(([first, rest]) => [first, ...rest].join('\n'))
  fc.assert(
    fc.property(texts, (text) => {
      const { values, problems } = readIni(`[a]\n${assignment('name', text)}\nnext = 1\n`)
      assert.deepEqual([problems, values.map((value) => value.text)], [[], [text, '1']])
    }),
  )
})

describe('any file of upstream', () => {
  const SECRET = 'hunter2'
  const options = readIni(here('upstream-options.conf')).values
  const isSecret = (name: string): boolean => /password|secret|_key$|hmac|uri$|transport_url/.test(name)
  const values = fc.constantFrom(
    ...['true', 'False', '', '60', '3600', '10.0.0.1', 'https://a.example', 'a,b', '"quoted"', 'one\n  two', 'redis'],
    ...['$debug', 'x$$y', '\\$z', '$cors.max_age', 'keystone', '1,1.1', 'wsgi', 'strict'],
  )
  const secrets = fc.constantFrom(
    SECRET,
    `postgres://u:${SECRET}@db/z`,
    `redis://:${SECRET}@db`,
    `${SECRET}\n  ${SECRET}`,
  )
  const assignments = fc
    .constantFrom(...options)
    .chain(({ section, name }) =>
      (isSecret(name) ? secrets : values).map((text) => `[${section}]\n${name} = ${text}\n`),
    )
  const files = fc.array(fc.array(assignments, { maxLength: 20 }), { minLength: 1, maxLength: 2 })

  test('is accounted for, option by option, and means the same', () => {
    fc.assert(
      fc.property(files, (contents) => {
        const byPath = Object.fromEntries(contents.map((content, index) => [`${index}.conf`, content.join('')]))
        const given = Object.entries(byPath).flatMap(
          ([path, content]) => readConfigFile(path, { ...noFiles, readFile: () => content }).given,
        )
        const migration = migrateFiles(byPath)
        const ofFiles = migration.options.filter(({ outcome }) => outcome !== 'added')
        assert.deepEqual(
          ofFiles.map(({ origin, group, option }) => [origin, group, option]),
          given.map(({ origin, group, name }) => [origin, group, name]),
        )
        assert.ok(ofFiles.every(({ outcome }) => outcome !== 'unknown'))
        assert.doesNotMatch(JSON.stringify([migration.options, migration.problems]), new RegExp(SECRET))

        // What refers to a refused option keeps what was written there; by itself that file means nothing.
        const refused = ofFiles.filter(({ outcome }) => outcome === 'refused')
        const refers = ({ text }: { readonly text: string }) =>
          refused.some(({ option }) => new RegExp(`\\$(\\w+\\.)?${option}\\b`).test(text))
        fc.pre(!given.some(refers))
        const left = new Set(
          ofFiles.filter(({ outcome }) => ['refused', 'overridden'].includes(outcome)).map(({ origin }) => origin),
        )
        const added = recognise(
          readIni(migration.content).values.map((value) => ({ ...value, group: value.section, origin: '' })),
        )
        assert.deepEqual(added.problems, [])
        const expected = meaningOf([
          { group: 'DEFAULT', name: 'data_dir', text: '/var/lib/zaqar', origin: '' },
          { group: 'DEFAULT', name: 'admin_mode', text: 'false', origin: '' },
          { group: 'DEFAULT', name: 'enable_deprecated_api_versions', text: '', origin: '' },
          ...given.filter(({ origin }) => !left.has(origin)),
        ])
        assert.ok(isSame(evaluate(added.values).config, expected))
      }),
      { numRuns: 300 },
    )
  })

  test('gives a result that is kept as it is when it is migrated again', () => {
    fc.assert(
      fc.property(files, (contents) => {
        const { content } = migrateFiles({ a: contents.flat().join('') })
        const again = migrateFiles({ a: content })
        assert.ok(again.options.every(({ outcome }) => outcome === 'kept'))
        const lines = (text: string) => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
        assert.deepEqual(lines(again.content), lines(content))
      }),
      { numRuns: 100 },
    )
  })
})

const noFiles = { readFile: () => null, listFolder: () => null, stamp: () => null }

/** The configuration that files of upstream mean here. A store that is none here stands for none. */
function meaningOf(given: Parameters<typeof recognise>[0]): Config {
  const { values } = recognise(given)
  const adopted = adoptMessageStore(values)
  const { option } = rowOf('storage', 'uri')
  const isUsable = adopted.get(option)?.text.startsWith('redis') !== true
  return evaluate(isUsable ? adopted : values).config
}
