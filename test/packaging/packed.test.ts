import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { after, describe, test } from 'node:test'
import { installNode, npm } from './npm.ts'

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
    test(`zaqar serve starts, answers and ends on ${name}`, { timeout: 60_000 }, async () => {
      const dataDir = mkdtempSync(join(temporary, 'data-'))
      const service = spawn(join(folder, 'node_modules/.bin/zaqar'), ['serve', '--port', '0', '--data-dir', dataDir], {
        env: { ...process.env, PATH: `${dirname(node)}:${process.env['PATH']}` },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const exit = once(service, 'exit')
      try {
        const answer = await fetch(await announcedUrl(service.stdout))
        assert.equal(answer.status, 300)
      } finally {
        service.kill()
      }
      assert.deepEqual(await exit, [0, null])
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
       import { Zaqar } from 'zaqar-client'
       export const posted: Promise<string> = new Zaqar({ url: '' }).queue('jobs').post('a')
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
    const tsc = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '--project', folder], {
      encoding: 'utf8',
    })
    assert.equal(tsc.stdout, '')
    assert.equal(tsc.status, 0)
  })
})

function installPackages(folder: string): void {
  mkdirSync(folder)
  execFileSync(process.execPath, ['tools/build.ts'], { cwd: root, stdio: 'inherit' })
  const tarballs = ['server', 'conformance', 'client'].map((name) =>
    npm(['pack', `./packages/${name}/dist`, '--pack-destination', folder], root).trim(),
  )
  npm(['install', '--prefer-offline', ...tarballs.map((file) => `./${file}`)], folder)
}

/** The address that the service prints when it is ready. */
async function announcedUrl(output: Readable): Promise<string> {
  for await (const line of createInterface(output)) {
    const url = /ready at (http:\S+)/.exec(line)?.[1]
    if (url !== undefined) return url
  }
  throw new Error('the service ended before it was ready')
}
