import { asks } from '../ask.ts'
import { candidatesFor, type Place, typedFlags } from '../candidates.ts'
import type { ZaqarCommand } from '../command.ts'
import type { CommandRow } from '../commands.ts'
import type { Shell } from '../shell.ts'

/** How long somebody who has pressed the key may have to wait for the names of queues, in milliseconds. */
const LONGEST_MS = 1_500
/** More names than that are of no help. */
const MOST = 500

/** What each shell runs when the key is pressed: it asks `zaqar completion words` for what may stand there. */
const scripts = {
  // Bash takes an address apart at its colons.
  bash: `_zaqar() {
  local IFS=$'\\n' word last=0
  local -a words=(zaqar)
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD}"; do
    if [[ $word == [:=]* || \${words[last]} == *[:=] ]]; then words[last]+=$word; else words[++last]=$word; fi
  done
  COMPREPLY=($(compgen -W "$(zaqar completion words -- "\${words[@]:1}" 2>/dev/null)" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _zaqar zaqar
`,
  zsh: `#compdef zaqar
_zaqar() {
  local -a found
  found=("\${(@f)$(zaqar completion words -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  [[ -n "\${found[1]}" ]] && compadd -a found || _files
}
# From a folder of fpath, this file is the function, called because somebody has pressed the key.
if [[ $funcstack[1] == _zaqar ]]; then _zaqar "$@"; else compdef _zaqar zaqar; fi
`,
  fish: `complete -c zaqar -a '(zaqar completion words -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
`,
}

export function defineCompletion(command: ZaqarCommand, shell: Shell, rows: readonly CommandRow[]): void {
  command.description(
    'Lets the shell complete commands, flags, and the names of queues, for which it asks the service.',
  )
  const uses = {
    bash: 'zaqar completion bash > ~/.local/share/bash-completion/completions/zaqar',
    zsh: 'source <(zaqar completion zsh)',
    fish: 'zaqar completion fish > ~/.config/fish/completions/zaqar.fish',
  }
  for (const name of ['bash', 'zsh', 'fish'] as const) {
    command
      .command(name)
      .description(`Prints the script for ${name}.`)
      .examples(uses[name])
      .action(() => {
        shell.stdout.write(scripts[name])
      })
  }
  const words = command
    .command('words', { hidden: true })
    .description('Prints what may stand in place of the last word, a line each.')
    .argument('[WORD...]', 'What stands behind `zaqar`.')
    .examples('zaqar completion words -- queue st')
    .hook('preAction', () => {
      for (const [name, value] of Object.entries(typedFlags(words.args))) words.setOptionValue(name, value)
    })
  asks(words, shell, async ({ zaqar }, _flags, given: readonly string[] = []) => {
    const found = await candidatesFor(given, rows, shell)
    const names = Array.isArray(found) ? found : await namesAt(found as Place)
    shell.stdout.write(names.map((name) => `${name}\n`).join(''))

    async function namesAt(place: Place): Promise<string[]> {
      const names: string[] = []
      const options = { name: place.begun, signal: AbortSignal.timeout(LONGEST_MS) }
      for await (const { name } of place.noun === 'queue' ? zaqar.queues(options) : zaqar.topics(options)) {
        // A name of this service is a word; another may have any.
        if (name.startsWith(place.begun) && /^[\w.-]+$/.test(name)) names.push(name)
        if (names.length >= MOST) break
      }
      return names
    }
  })
}
