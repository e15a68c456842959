import { connect } from '../packages/server/src/storage/postgres/connection.ts'
import { openPostgres } from '../packages/server/src/storage/postgres/open-postgres.ts'
import { administer, missingPostgres, startPostgres } from '../packages/server/test/storage/postgres-server.ts'
import type { ServedStore, ServerStores } from './stores.ts'

/**
 * Each store is a database on one throw-away server, from Debian's package, with PostgreSQL's defaults but for room for
 * connections to a hundred pools; or on the server that `ZAQAR_TEST_POSTGRES` names.
 * @throws Error that says why there is no server.
 */
export async function postgresStores(): Promise<ServerStores> {
  const missing = await missingPostgres()
  if (missing !== null) throw new Error(missing)
  const server = await startPostgres({ settings: { max_connections: '500' } })
  let made = 0

  async function create(template = 'template1'): Promise<ServedStore> {
    const name = `zaqar_bench_${process.pid}_${++made}`
    await administer(server.uri, `CREATE DATABASE ${name} TEMPLATE ${template}`)
    const uri = databaseUri(server.uri, name)
    return {
      uri,
      open: (clock) => openPostgres({ uri, clock }),
      copy: () => create(name),
      pin: () => pin(uri),
      async remove() {
        await administer(server.uri, `DROP DATABASE ${name} WITH (FORCE)`)
      },
    }
  }

  return { engine: 'postgres', create: () => create(), close: () => server.stop() }
}

function databaseUri(server: string, name: string): string {
  const uri = new URL(server)
  uri.pathname = name
  return uri.href
}

async function pin(uri: string): Promise<() => Promise<void>> {
  const { client } = await connect(uri)
  // The snapshot is taken by the first statement, whatever that is.
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
  await client.query('SELECT FROM pg_class LIMIT 1')
  return () => client.end()
}
