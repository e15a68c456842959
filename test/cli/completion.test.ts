import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { installZaqar } from '../support/command.ts'
import { type Service, startService } from '../support/service.ts'
import { runHere } from './run-here.ts'

const folder = mkdtempSync(join(tmpdir(), 'zaqar-completion-'))
const bin = installZaqar(folder)
let service: Service

before(async () => {
  service = await startService()
  for (const name of ['jobs-1', 'jobs-2', 'other']) await runHere(['queue', 'create', name, '--url', service.url])
})

after(async () => {
  await service.stop()
  rmSync(folder, { recursive: true })
})

/** What has each shell complete the words, with the script as its users get it. */
const shells: Record<string, (...words: readonly string[]) => string> = {
  bash: (...words) =>
    `source <(zaqar completion bash); COMP_WORDS=(zaqar ${words.join(' ')}); COMP_CWORD=${words.length}; _zaqar; printf '%s\\n' "\${COMPREPLY[@]}"`,
  // The builtin works only where somebody types.
  zsh: (...words) =>
    `autoload -Uz compinit; compinit -u -D; source <(zaqar completion zsh); compadd() { print -l -- \${(M)found:#\${words[CURRENT]}*} }; words=(zaqar ${words.join(' ')}); CURRENT=${words.length + 1}; _zaqar`,
  'zsh, from a folder of fpath,': (...words) =>
    `zaqar completion zsh > _zaqar; fpath+=($PWD); autoload -Uz compinit; compinit -u -D; compadd() { print -l -- \${(M)found:#\${words[CURRENT]}*} }; words=(zaqar ${words.join(' ')}); CURRENT=${words.length + 1}; _zaqar`,
  fish: (...words) => `zaqar completion fish | source; complete -C 'zaqar ${words.join(' ')}'`,
}

for (const [name, script] of Object.entries(shells)) {
  const [shell = ''] = name.split(',')
  const isThere = spawnSync(shell, ['--version']).status === 0
  test(`${name} completes commands and queues`, { skip: !isThere && `${shell} is not installed` }, async () => {
    const env = {
      HOME: folder,
      PATH: `${bin}${delimiter}${process.env['PATH']}`,
      ZAQAR_URL: service.url,
    }
    const complete = async (...words: readonly string[]) => {
      const { stdout } = await promisify(execFile)(shell, ['-c', script(...words)], { env, cwd: folder })
      return stdout.split('\n').flatMap((line) => line.split('\t')[0] || [])
    }
    assert.deepEqual(await complete('queue', 'st'), ['stats'])
    assert.deepEqual(await complete('queue', 'stats', 'jo'), ['jobs-1', 'jobs-2'])
    assert.deepEqual(await complete('queue', 'delete', 'other', 'jo'), ['jobs-1', 'jobs-2'])
    assert.deepEqual(await complete('--os'), ['--os-cloud'])
    env.ZAQAR_URL = 'http://127.0.0.1:3'
    const address = ['--url', ...(shell === 'bash' ? service.url.split(/(:)/) : [service.url])]
    assert.deepEqual(await complete(...address, 'queue', 'st'), ['stats'])
    assert.deepEqual(await complete(...address, 'queue', 'stats', 'jo'), ['jobs-1', 'jobs-2'])
    assert.deepEqual(await complete('queue', 'stats', ...address, 'jo'), ['jobs-1', 'jobs-2'])
  })
}

test('a service that is not there completes nothing', async () => {
  const { code, stdout } = await runHere(['completion', 'words', '--url', 'http://127.0.0.1:3', '--', 'tail', 'j'])
  assert.deepEqual([code, stdout], [75, ''])
})
