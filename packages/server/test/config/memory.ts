import assert from 'node:assert/strict'
import { Command } from 'commander'
import { addConfigFlags } from '../../src/cli/config-flags.ts'
import { ConfigError, type Loaded, loadConfig } from '../../src/config/load.ts'

export interface Given {
  readonly argv?: readonly string[]
  readonly env?: Record<string, string>
  /** Content by path. A folder is there when a file in it is. */
  readonly files?: Record<string, string>
  /** A folder that this user may not look into. */
  readonly closed?: string
}

/** Loads a configuration from files that exist only here. The home folder is /home/op. */
export function load({ argv = [], env = {}, files = {}, closed }: Given): Loaded {
  const open = <T>(path: string, look: () => T): T => {
    if (closed !== undefined && path.startsWith(`${closed}/`)) throw new Error(`EACCES: permission denied, '${path}'`)
    return look()
  }
  const command = new Command()
  const flags = addConfigFlags(command)
  command.parse(argv, { from: 'user' })
  return loadConfig({
    flags,
    env,
    homeDir: '/home/op',
    files: {
      readFile: (path) => open(path, () => files[path] ?? null),
      listFolder: (path) =>
        open(path, () => {
          const names = Object.keys(files).filter((file) => file.startsWith(`${path}/`))
          return names.length === 0 ? null : names.map((name) => name.slice(path.length + 1)).reverse()
        }),
      stamp: (path) => open(path, () => files[path] ?? null),
    },
  })
}

/** Loads one file, /etc/zaqar/zaqar.conf. */
export function loadFile(content: string): Loaded {
  return load({ files: { '/etc/zaqar/zaqar.conf': content } })
}

/** The problems that stop the start. */
export function problemsOf(given: Given): readonly string[] {
  try {
    load(given)
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    return error.problems
  }
  return assert.fail('the configuration was accepted')
}
