import { administer, newSchema, startPostgres } from '../../packages/server/test/storage/postgres-server.ts'

/** A database of its own, for nodes to share. */
export interface SharedDatabase {
  /** What the nodes are given as `--storage`. */
  readonly uri: string
  /** When no node is left. */
  drop(): Promise<void>
}

/** @throws when `missingPostgres` has a reason. */
export async function createDatabase(): Promise<SharedDatabase> {
  const server = await startPostgres()
  const name = newSchema()
  await administer(server.uri, `CREATE DATABASE ${name}`)
  const uri = new URL(server.uri)
  uri.pathname = name
  return {
    uri: uri.href,
    async drop() {
      // Connections of nodes that were killed may linger.
      await administer(server.uri, `DROP DATABASE ${name} WITH (FORCE)`)
      await server.stop()
    },
  }
}
