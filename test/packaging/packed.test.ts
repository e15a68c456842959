import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { after, describe, test } from 'node:test'
import { startService } from '../support/service.ts'
import { installNode, npm } from './npm.ts'
import { useService } from './use-service.ts'

const root = join(import.meta.dirname, '../..')

describe('the packed packages, installed into an empty folder', () => {
  const temporary = mkdtempSync(join(tmpdir(), 'zaqar-packed-'))
  after(() => rmSync(temporary, { recursive: true }))
  const folder = join(temporary, 'empty')
  installPackages(folder)
  const nodes = {
    [`Node ${process.versions.node}`]: process.execPath,
    'the newest Node 24': installNode(24, join(temporary, 'node-24')),
  }

  for (const [name, node] of Object.entries(nodes)) {
    test(`zaqar, installed globally, serves and ends on ${name}`, { timeout: 60_000 }, async () => {
      const service = await startService({ command: [node, join(folder, 'global/bin/zaqar')] })
      try {
        await useService(service.url)
      } finally {
        await service.stop()
      }
    })

    test(`the client posts, consumes and is told on ${name}, imported and required`, { timeout: 60_000 }, async () => {
      const zaqar = join(folder, 'node_modules/zaqar/bin/zaqar.js')
      const dataDir = mkdtempSync(join(temporary, 'data-'))
      const service = spawn(node, [zaqar, 'serve', '--port', '0', '--data-dir', dataDir], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      try {
        const url = await announcedUrl(service.stdout)
        const programs = {
          'client.mjs': `import { Zaqar } from 'zaqar-client'
            import { Zaqar as HttpZaqar } from 'zaqar-client/http'`,
          'client.cjs': `const { Zaqar } = require('zaqar-client')
            const { Zaqar: HttpZaqar } = require('zaqar-client/http')`,
        }
        for (const [program, imports] of Object.entries(programs)) {
          writeFileSync(join(folder, program), `${imports}\n${USE_CLIENT}`)
          const { stdout, stderr } = spawnSync(node, [program, url, program], { cwd: folder, encoding: 'utf8' })
          assert.deepEqual([stdout, stderr], ['{ order: 1 } socket\n{ order: 1 }\n0\n', ''], program)
        }
      } finally {
        service.kill()
        await once(service, 'exit')
      }
    })

    test(`what they export can be imported on ${name}`, () => {
      const script = "await import('zaqar/storage'); await import('zaqar-conformance'); await import('zaqar-client')"
      execFileSync(node, ['--input-type=module', '--eval', script], { cwd: folder })
    })
  }

  test('the types of what they export resolve', () => {
    writeFileSync(
      join(folder, 'consumer.ts'),
      `import { type Storage, StorageUnavailable } from 'zaqar/storage'
       import type { Harness } from 'zaqar-conformance'
       type Opened = Awaited<ReturnType<Harness['open']>>['storage']
       export const same = (storage: Storage): Opened => storage
       export const message: string = new StorageUnavailable('').message
       // @ts-expect-error Without types this would not be an error.
       export const name: number = new StorageUnavailable('').name`,
    )
    const compilerOptions = {
      module: 'nodenext',
      target: 'esnext',
      strict: true,
      noEmit: true,
      types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
    }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['consumer.ts'] }))
    assertTypes(folder)
  })

  const surroundings = {
    'in Node': { lib: ['esnext'], types: ['node'] },
    'in a page': { lib: ['esnext', 'dom'], types: [] },
  }
  for (const [where, among] of Object.entries(surroundings)) {
    for (const module of ['nodenext', 'bundler'] as const) {
      test(`the types of the client are found and right ${where}, resolved as ${module}`, () => {
        writeFileSync(join(folder, 'client.ts'), USE_TYPES)
        const compilerOptions = {
          ...among,
          ...(module === 'bundler' ? { module: 'esnext', moduleResolution: 'bundler' } : { module }),
          target: 'esnext',
          strict: true,
          exactOptionalPropertyTypes: true,
          noEmit: true,
          typeRoots: [join(root, 'node_modules/@types')],
        }
        writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['client.ts'] }))
        assertTypes(folder)
      })
    }
  }
})

/** Behind the lines that make `Zaqar` and `HttpZaqar`. Its arguments are the address of the service and a queue. */
const USE_CLIENT = `
async function use(url, name) {
  const zaqar = new Zaqar({ url, project: 'demo' })
  const queue = zaqar.queue(name)
  await new HttpZaqar({ url, project: 'demo' }).queue(name).post({ order: 1 })
  const told = Promise.withResolvers()
  const subscriber = queue.subscribe(({ body }) => told.resolve(body), { from: 'start' })
  console.log(await told.promise, subscriber.transport)
  await subscriber.stop()
  const done = Promise.withResolvers()
  const consumer = queue.consume(({ body }) => done.resolve(body))
  console.log(await done.promise)
  await consumer.stop()
  console.log((await queue.stats()).total)
  zaqar.close()
}
use(...process.argv.slice(2))
`

const USE_TYPES = `
import { NotFound, Zaqar, type Message, type ZaqarOptions } from 'zaqar-client'
import { Zaqar as HttpZaqar } from 'zaqar-client/http'

const options: ZaqarOptions = { url: 'http://127.0.0.1:8888', fetch, WebSocket, auth: { token: async () => 'a' } }
const jobs = new Zaqar(options).queue('jobs')
export const posted: Promise<string> = jobs.post({ order: 1 })
export const listed: Promise<readonly Message<string>[]> = jobs.list<string>().then(({ messages }) => messages)
jobs.consume<{ order: number }>(({ body }, { signal }) => fetch('http://127.0.0.1', { signal, body: String(body.order) }))
// @ts-expect-error Without types this would not be an error.
jobs.consume<{ order: number }>(({ body }) => body.ordr)
// @ts-expect-error Requests alone have no consumers.
new HttpZaqar(options).queue('jobs').consume
export const isMissing = (error: unknown): boolean => error instanceof NotFound && error.status === 404
`

/** By the `tsconfig.json` in the folder. */
function assertTypes(folder: string): void {
  const tsc = [join(root, 'node_modules/typescript/bin/tsc'), '--project', folder, '--pretty', 'false']
  const { stdout, status } = spawnSync(process.execPath, tsc, { encoding: 'utf8' })
  assert.deepEqual([stdout, status], ['', 0])
}

function installPackages(folder: string): void {
  mkdirSync(folder)
  execFileSync(process.execPath, ['tools/build.ts'], { cwd: root, stdio: 'inherit' })
  const tarballs = ['server', 'conformance', 'client'].map((name) =>
    npm(['pack', `./packages/${name}/dist`, '--pack-destination', folder], root).trim(),
  )
  npm(['install', '--prefer-offline', ...tarballs.map((file) => `./${file}`)], folder)
  // As `npm install --global --prefix` does it for a system.
  const global = join(folder, 'global')
  mkdirSync(global)
  const [server = '', , client = ''] = tarballs.map((file) => join(folder, file))
  npm(['install', '--global', '--prefer-offline', server, client], global)
}

/** The address that the service prints when it is ready. */
async function announcedUrl(output: Readable): Promise<string> {
  for await (const line of createInterface(output)) {
    const url = /ready at (http:\S+)/.exec(line)?.[1]
    if (url !== undefined) return url
  }
  throw new Error('the service ended before it was ready')
}
