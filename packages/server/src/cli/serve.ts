import { homedir } from 'node:os'
import { loadConfig } from '../config/load.ts'
import { diskFiles } from '../platform/disk-files.ts'
import { startService } from '../service.ts'
import { banner } from './banner.ts'
import { describeStartError } from './start-error.ts'
import { readVersion } from './version.ts'

/** Resolves when the service is ready; it then runs until a signal ends it. */
export async function serve(argv: readonly string[]): Promise<void> {
  const loaded = loadConfig({ argv, env: process.env, homeDir: homedir(), files: diskFiles })
  if (loaded.noEffect.length > 0) {
    process.stderr.write(`zaqar: these settings have no effect here:\n${indent(loaded.noEffect)}`)
  }
  const service = await startService(loaded.config, loaded.folders)
  stopOnSignal(service)
  process.stdout.write(banner(loaded, service, readVersion()))
}

/** The first signal ends the service when it has answered what it has begun; a second one ends it at once. */
function stopOnSignal(service: { close(): Promise<void> }): void {
  const signals = ['SIGTERM', 'SIGINT'] as const
  const stop = (): void => {
    // Without a listener a signal has its usual effect.
    for (const signal of signals) process.off(signal, stop)
    service.close().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`zaqar: the service did not end well: ${describeStartError(error)}\n`)
        process.exit(1)
      },
    )
  }
  for (const signal of signals) process.on(signal, stop)
}

function indent(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}\n`).join('')
}
