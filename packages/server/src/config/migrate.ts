/** Makes a configuration of this service out of files of upstream, and accounts for each of their options. */
import { readOption } from './evaluate.ts'
import { findGroup, findOption, optionGroups, rowOf } from './find-option.ts'
import { ConfigError, loadConfig } from './load.ts'
import { isUsed, mayRepeat, type Option, type OptionGroup, type UsedOption } from './option.ts'
import { resolve } from './resolve.ts'
import { recognise, type Setting } from './settings.ts'
import { type Files, type Given, readConfigFile } from './sources.ts'
import { hasReferences } from './substitute.ts'
import { offUpstream } from './upstream-defaults.ts'
import { adoptMessageStore } from './upstream-store.ts'
import { assignment, withoutReferences } from './write-ini.ts'

/** What has become of an option. */
type Outcome =
  /** It stands in the result as it was. */
  | 'kept'
  /** It stands there under another name. */
  | 'renamed'
  /** Its value stands there in other words that mean the same. */
  | 'translated'
  /** It is new: the service would else not behave as upstream. */
  | 'added'
  /** A later one took its place. */
  | 'overridden'
  /** It changes nothing here. */
  | 'no effect'
  /** This service does not allow its value, so it is left out. */
  | 'refused'
  /** This service does not know it, so it is left out. */
  | 'unknown'

/** Holds no value: that may be a secret. */
export interface Migrated {
  readonly outcome: Outcome
  /** As spelled in the file. */
  readonly group: string
  readonly option: string
  /** `FILE:LINE`; null for what is added. */
  readonly origin: string | null
  /** Its name in the result, as `[group] option`; null where it is not there. */
  readonly becomes: string | null
  /** Why; null where that needs no word. */
  readonly note: string | null
}

export interface Migration {
  /** With the secrets of the files. */
  readonly content: string
  /** What is added, then each option of the files in their order. */
  readonly options: readonly Migrated[]
  /** What stops a start with the result, or made an option be left out that upstream heeds. */
  readonly problems: readonly string[]
}

export interface MigrateParams {
  /** Later ones win. */
  readonly paths: readonly string[]
  readonly files: Files
  readonly dataDir: string
  /** Where messages are to be kept; null: in a PostgreSQL that the files name, else in the data folder. */
  readonly storageUri: string | null
  /** What problems call the result. */
  readonly resultName: string
}

/** An option of the result. */
interface Line {
  readonly group: OptionGroup
  readonly option: UsedOption
  readonly text: string
}

interface Account {
  readonly migrated: Migrated
  /** Null where it is not part of the result. */
  readonly line: Line | null
}

type Values = ReadonlyMap<Option, Setting>

const STORE = rowOf('storage', 'uri')

/** @throws ConfigError when a file cannot be read, or has not the form of upstream's */
export function migrate({ paths, files, dataDir, storageUri, resultName }: MigrateParams): Migration {
  const read = paths.map((path) => readConfigFile(path, files))
  const unreadable = read.flatMap((file) => file.problems)
  if (unreadable.length > 0) throw new ConfigError(unreadable)
  const given = read.flatMap((file) => file.given)
  const set = recognise(given).values
  const values = storageUri === null ? withMessageStore(set) : set
  const taken = given.map((one) => accountOf(one, { values, given, storageUri }))
  const accounts = [...additionsTo(taken, dataDir, storageUri), ...taken]
  const content = contentOf(paths, accounts)
  const options = accounts.map(({ migrated }) => migrated)
  const refused = options.filter(({ outcome }) => outcome === 'refused')
  return {
    content,
    options,
    problems: [
      ...refused.map(({ origin, group, option, note }) => `${origin}: [${group}] ${option}: left out: ${note}`),
      ...problemsOf(content, resultName, files),
    ],
  }
}

/** With the address of upstream's message store for that of this service, if it can be used. */
function withMessageStore(values: Values): Values {
  const adopted = adoptMessageStore(values)
  return 'value' in readOption(STORE.group, STORE.option as UsedOption, adopted) ? adopted : values
}

/** What the result has beside the options of the files. */
function additionsTo(taken: readonly Account[], dataDir: string, storageUri: string | null): Account[] {
  const isSet = (option: Option): boolean => taken.some(({ line }) => line?.option === option)
  const store = isSet(STORE.option) || storageUri !== null ? '' : ': here messages, in zaqar.db'
  const wanted = [
    { group: 'DEFAULT', option: 'data_dir', text: dataDir, note: `what this service keeps on disk${store}` },
    ...(storageUri === null
      ? []
      : [{ group: 'storage', option: 'uri', text: withoutReferences(storageUri), note: 'as the command line says' }]),
    ...offUpstream,
  ]
  return wanted.flatMap(({ group: section, option: name, text, note }) => {
    const { group, option } = rowOf(section, name)
    if (isSet(option)) return []
    const becomes = `[${section}] ${name}`
    return {
      migrated: { outcome: 'added', group: section, option: name, origin: null, becomes, note },
      line: { group, option: option as UsedOption, text },
    } satisfies Account
  })
}

interface Around {
  readonly values: Values
  readonly given: readonly Given[]
  readonly storageUri: string | null
}

function accountOf(one: Given, { values, given, storageUri }: Around): Account {
  const { group: section, name, origin, text } = one
  const without = (outcome: Outcome, note: string): Account => ({
    migrated: { outcome, group: section, option: name, origin, becomes: null, note },
    line: null,
  })
  const row = findGroup(section)
  if (row === null) return without('unknown', 'there is no such group')
  const known = findOption(row, name)
  if (known === null)
    return row.others === undefined
      ? without('unknown', `[${row.name}] has no such option`)
      : without('no effect', row.others)
  const isStore = row !== STORE.group && values.get(STORE.option)?.origin === origin
  const { group, option } = isStore ? STORE : { group: row, option: known }
  if (!isUsed(option)) return without('no effect', option.noEffect)
  const last = given.findLast((other) => isOf(known, other))
  if (last !== one && !mayRepeat(known)) return without('overridden', `${last?.origin} says otherwise`)
  if (option === STORE.option && storageUri !== null) return without('overridden', '--storage says otherwise')
  const itself = new Map(values).set(option, { ...one, row })
  const read = readOption(group, option, itself)
  if ('refused' in read) return without('refused', read.refused)
  const isOpen = hasReferences(text)
  const becomes = `[${group.name}] ${option.name}`
  const isRenamed = becomes !== `[${section}] ${name}`
  return {
    migrated: {
      outcome: isRenamed ? 'renamed' : isOpen ? 'translated' : 'kept',
      group: section,
      option: name,
      origin,
      becomes,
      note: isOpen ? 'what it refers to is written out' : null,
    },
    line: { group, option, text: isOpen ? withoutReferences(resolve(group, option, itself) ?? '') : text },
  }
}

function isOf(option: Option, { group, name }: Given): boolean {
  const row = findGroup(group)
  return row !== null && findOption(row, name) === option
}

/** The options of the result in the order of the table, each with what is to be said of it; then what is left out. */
function contentOf(paths: readonly string[], accounts: readonly Account[]): string {
  const sections = optionGroups.flatMap((group) => {
    const lines = accounts.flatMap(({ migrated, line }) => (line?.group === group ? lineOf(line, migrated) : []))
    return lines.length === 0 ? [] : [`[${group.name}]\n${lines.join('\n')}`]
  })
  const left = accounts.flatMap(({ migrated, line }) => (line === null ? [leftOut(migrated)] : []))
  const head =
    `# Made by \`zaqar config migrate\` from ${paths.join(', ')}.\n` +
    '# What is not here has its default: see `zaqar config print --all`.'
  const rest = left.length === 0 ? [] : [`# Left out:\n${left.join('\n')}`]
  return `${[head, ...sections, ...rest].join('\n\n')}\n`
}

function lineOf({ option, text }: Line, { outcome, group, option: name, origin, note }: Migrated): string[] {
  const was = outcome === 'renamed' ? `${origin}: [${group}] ${name}` : null
  const comment = [was, note].filter((part) => part !== null).join('; ')
  return [...(comment === '' ? [] : [`# ${comment}`]), assignment(option.name, text)]
}

function leftOut({ outcome, group, option, origin, note }: Migrated): string {
  return `# ${origin}: [${group}] ${option}: ${outcome}: ${note}`
}

/** What stops a start with that text in a file of that name. */
function problemsOf(content: string, name: string, files: Files): readonly string[] {
  const withResult = { ...files, readFile: (path: string) => (path === name ? content : files.readFile(path)) }
  try {
    loadConfig({ flags: { files: [name], folders: [], given: [] }, env: {}, homeDir: '/', files: withResult })
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}
