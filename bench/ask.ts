import { Connection } from './connection.ts'
import { requestBytes, type Target } from './target.ts'

/** One request on a connection of its own. Rejects when the server cannot be reached or hangs up. */
export async function ask(
  target: Target,
  method: string,
  path: string,
  document?: unknown,
): Promise<{ status: number; body: Buffer }> {
  const failure = Promise.withResolvers<never>()
  const connection = await Connection.open(target.host, target.port, failure.reject)
  try {
    return await Promise.race([connection.ask(requestBytes(target, method, path, document)), failure.promise])
  } finally {
    connection.close()
  }
}
