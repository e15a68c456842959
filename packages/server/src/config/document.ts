/** Documentation, made from the table of options. */
import { optionGroups, variableOf } from './find-option.ts'
import { isUsed, type OptionGroup, type UsedOption } from './option.ts'

/** All options, for a terminal. */
export function describeOptions(): string {
  return `${optionGroups.map((group) => describeGroup(group).join('\n')).join('\n\n')}\n`
}

function describeGroup(group: OptionGroup): string[] {
  const used = group.options
    .filter(isUsed)
    .flatMap((option) => [
      `${option.name} = ${option.default ?? ''}`,
      `    ${option.meaning}`,
      `    allowed: ${option.kind.allowed}; takes effect at ${effectOf(option)}`,
      `    ${spellings(group, option).join(', ')}`,
    ])
  const unused = ineffective(group, (name) => name).map((line) => `(without effect) ${line}`)
  return [`[${group.name}]`, ...used, ...unused]
}

/** All options, for programs: what of them has no effect says why instead. */
export function listOptions(): readonly Record<string, string | null>[] {
  return optionGroups.flatMap((group) =>
    group.options.map((option) => {
      const place = { group: group.name, option: option.name }
      if (!isUsed(option)) return { ...place, noEffect: option.noEffect }
      return {
        ...place,
        default: option.default,
        meaning: option.meaning,
        allowed: option.kind.allowed,
        takesEffectAt: effectOf(option),
        variable: variableOf(group, option),
        flag: option.flag === undefined ? null : `--${option.flag.name}`,
      }
    }),
  )
}

/** docs/configuration.md. */
export function documentOptions(): string {
  return `${introduction}\n${optionGroups.map((group) => documentGroup(group).join('\n')).join('\n\n')}\n`
}

const introduction = `# Configuration

<!-- Made by \`zaqar config options --markdown\` from the table of options; edit that instead. -->

Nothing needs to be configured: \`zaqar serve\` works as it is. What is set comes from four places, later ones win:

1. the defaults below;
2. files in the form of upstream's \`zaqar.conf\`: those named by \`--config-file FILE\` (may be repeated, later files win)
   and \`--config-dir DIR\` (its \`*.conf\` files by name). When neither is given: the first \`zaqar.conf\` in
   \`~/.zaqar\`, \`~\`, \`/etc/zaqar\`, \`/etc\`, then the files of the first folder \`zaqar.conf.d\` in the same places;
3. environment variables \`OS_<GROUP>__<OPTION>\`, in capitals and with \`_\` for every character of the group's name that is
   neither letter nor digit;
4. flags of \`zaqar serve\`.

\`zaqar config print\` shows what is set and where each value comes from, \`zaqar config check\` what would stop the start; both take the
flags of \`zaqar serve\`. \`zaqar config migrate /etc/zaqar/zaqar.conf\` makes a file of this service out of one of upstream
([command-line.md](command-line.md#a-file-of-upstream)).

An unknown option, or a value that is not allowed, stops the start; all problems are reported at once, with file and line.
Options of upstream that have no effect here are accepted with any value, and named at the start. Older names of options are
understood.
A file of upstream that names its store, and none that this server can use, needs one line more: \`[storage] uri\` says where
messages are kept. A PostgreSQL at \`[drivers:message_store:...] uri\` is taken as it is. What upstream's store holds
\`zaqar import\` brings over ([migrate.md](migrate.md)).

A running service reads its files again on SIGHUP, as from \`systemctl reload zaqar\`. What takes effect at a *reload* then holds for
every request from that moment on; a request under way ends by what it began with. What takes effect at a *restart* is named in
the log when it has changed, and waits. A configuration with a problem changes nothing, and the log says what is wrong. Policy
files and certificates are read again by themselves when they change.

A password in \`--storage\` is seen by every user of the machine who lists its processes; it belongs in a file that only the
service may read, or in the variable \`OS_STORAGE__URI\`.

In files, a value may go on over further lines that are indented, and quotes around it are removed. \`$name\` in a value
stands for the value of another option of the same group or of \`[DEFAULT]\`, \`\${group.name}\` for one of another group, and
\`$$\` for a dollar sign. Truth is \`true\`, \`1\`, \`on\`, \`yes\` or \`false\`, \`0\`, \`off\`, \`no\`; lists have commas.
`

function documentGroup(group: OptionGroup): string[] {
  const rows = group.options.filter(isUsed).map((option) => documentOption(group, option))
  const head = [
    '',
    '| option | default | meaning | allowed | takes effect at | variable, flag |',
    '|---|---|---|---|---|---|',
  ]
  const lines = ineffective(group, asCode).map((line) => `- ${line}`)
  return [
    `## [${group.name}]`,
    ...(rows.length === 0 ? [] : [...head, ...rows]),
    ...(lines.length === 0 ? [] : ['', 'Accepted without effect:', '', ...lines]),
  ]
}

function documentOption(group: OptionGroup, option: UsedOption): string {
  const fallback = option.default === null ? '' : asCode(option.default)
  const names = spellings(group, option).map(asCode).join(', ')
  return `| ${asCode(option.name)} | ${fallback} | ${option.meaning} | ${option.kind.allowed} | ${effectOf(option)} | ${names} |`
}

function effectOf({ reloads }: UsedOption): string {
  return reloads ? 'reload' : 'restart'
}

/** Variable and flag. */
function spellings(group: OptionGroup, option: UsedOption): string[] {
  return [variableOf(group, option), ...(option.flag === undefined ? [] : [`--${option.flag.name}`])]
}

/** A line for each reason why options of a group have no effect. `show` prints a name. */
function ineffective(group: OptionGroup, show: (name: string) => string): string[] {
  const unused = group.options.flatMap((option) => (isUsed(option) ? [] : [option]))
  const lines = [...Map.groupBy(unused, ({ noEffect }) => noEffect)].map(
    ([reason, options]) => `${options.map(({ name }) => show(name)).join(', ')}: ${reason}`,
  )
  if (group.others === undefined) return lines
  return [...lines, `${group.options.length === 0 ? 'every option' : 'every other option'}: ${group.others}`]
}

function asCode(text: string): string {
  return `\`${text}\``
}
