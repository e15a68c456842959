import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { administer, newSchema, startPostgres } from '../../packages/server/test/storage/postgres-server.ts'
import { type Service, startService } from './service.ts'

/** A service with pooling, and empty stores that can be its pools. */
export interface PooledService extends Pick<Service, 'url'> {
  /** Addresses of stores that nobody uses yet. */
  readonly uris: readonly string[]
  stop(): Promise<void>
}

/** Its pools are files. */
export async function startOnSqlite(pools: number): Promise<PooledService> {
  const dataDir = mkdtempSync(join(tmpdir(), 'zaqar-pools-'))
  const [own, ...uris] = Array.from({ length: 1 + pools }, (_, n) => `sqlite:${join(dataDir, `${n}.db`)}`)
  return start({ own: own as string, uris, dataDir, remove: async () => rmSync(dataDir, { recursive: true }) })
}

/** Its pools are databases; a database stands for a server of its own. @throws when `missingPostgres` has a reason */
export async function startOnPostgres(pools: number): Promise<PooledService> {
  const server = await startPostgres()
  const databases = Array.from({ length: 1 + pools }, newSchema)
  for (const name of databases) await administer(server.uri, `CREATE DATABASE ${name}`)
  const [own, ...uris] = databases.map((name) => Object.assign(new URL(server.uri), { pathname: name }).href)
  return start({
    own: own as string,
    uris,
    async remove() {
      for (const name of databases) await administer(server.uri, `DROP DATABASE ${name} WITH (FORCE)`)
      await server.stop()
    },
  })
}

async function start(p: {
  own: string
  uris: readonly string[]
  dataDir?: string
  remove(): Promise<void>
}): Promise<PooledService> {
  const { own, uris, remove } = p
  const config = `[DEFAULT]\npooling = true\n[storage]\nuri = ${own}\nconnections = 1\n`
  const service = await startService({ config, ...(p.dataDir !== undefined && { dataDir: p.dataDir }) })
  return {
    url: service.url,
    uris,
    async stop() {
      await service.stop()
      await remove()
    },
  }
}
