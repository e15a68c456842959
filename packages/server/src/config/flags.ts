/** The command line flags that configure the service. All but those for files are rows of the table of options. */
import type { Given } from './sources.ts'

/** Flags that say where configuration files are. */
export const fileFlags = [
  { name: 'config-file', value: 'FILE', meaning: 'Read this file; may be repeated, later files win.' },
  { name: 'config-dir', value: 'DIR', meaning: 'Read the *.conf files of this folder, by name, after the files.' },
] as const

/** What a command line says. */
export interface Flags {
  readonly files: readonly string[]
  readonly folders: readonly string[]
  readonly given: readonly Given[]
}
