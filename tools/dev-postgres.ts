/**
 * `npm run dev:postgres -- [FLAG]...` starts the service on a throw-away PostgreSQL from Debian's package, or on the
 * one that `ZAQAR_TEST_POSTGRES` names. The flags are those of `zaqar serve`. A server of our own goes with the
 * service, and all that was in it.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { missingPostgres, startPostgres } from '../packages/server/test/storage/postgres-server.ts'

const missing = await missingPostgres()
if (missing === null) process.exitCode = await serve(process.argv.slice(2))
else {
  console.error(missing)
  process.exitCode = 1
}

async function serve(flags: readonly string[]): Promise<number> {
  // A terminal sends its signals to the service as well, and the server has to outlive that.
  let service: ReturnType<typeof spawn> | undefined
  process.on('SIGINT', () => undefined).on('SIGTERM', () => service?.kill('SIGTERM'))
  const server = await startPostgres()
  try {
    const command = ['packages/server/bin/zaqar.js', 'serve', '--storage', server.uri, ...flags]
    service = spawn(process.execPath, command, { stdio: 'inherit' })
    const [code] = await once(service, 'exit')
    return code ?? 1
  } finally {
    await server.stop()
  }
}
