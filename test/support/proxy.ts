import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { until } from '../../packages/server/test/support/until.ts'

/** A proxy in front of services. */
export interface RunningProxy {
  readonly url: string
  /** Its log so far, such as which node is up again. */
  said(): string
  stop(): Promise<void>
}

/** Runs a command that is a proxy in the foreground. Resolves when it lets requests through to a service that is ready. */
export async function startProxy([command, ...args]: readonly string[], url: string): Promise<RunningProxy> {
  const proxy = spawn(command as string, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  proxy.stderr.setEncoding('utf8').on('data', (more: string) => {
    said += more
  })
  const stop = async () => {
    const ended = once(proxy, 'exit')
    // Not SIGKILL: nginx has workers to end.
    if (proxy.exitCode === null && proxy.kill()) await ended
  }
  try {
    await until(async () => {
      assert.equal(proxy.exitCode, null, said)
      return (await fetch(`${url}/readyz`).catch(() => null))?.status === 200
    })
  } catch (error) {
    await stop()
    throw error
  }
  return { url, said: () => said, stop }
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  server.close()
  await once(server, 'close')
  return address.port
}
