import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { startService } from '../support/service.ts'
import { blocksOf } from './page.ts'
import { programOf } from './program.ts'

const root = join(import.meta.dirname, '../..')
const blocks = blocksOf('docs/client.md')
const tour = blocks.filter(({ language }) => language === 'ts')

test('the program of docs/client.md prints what stands below its pieces', async () => {
  const service = await startService()
  const texts = tour.map(({ text }) => text)
  const { file, remove } = programOf(texts, service.url)
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [file])
    assert.equal(stderr, '')
    assert.equal(stdout, tour.map(({ shown }) => shown ?? '').join(''))
  } finally {
    remove()
    await service.stop()
  }
})

test('all programs of docs/client.md have the right types', () => {
  const texts = tour.map(({ text }) => text)
  const { folder, remove } = programOf(texts, 'http://127.0.0.1:8888')
  try {
    const others = blocks.filter(({ language }) => language === 'typescript')
    assert.equal(others.length, 2)
    for (const [i, { text }] of others.entries()) writeFileSync(join(folder, `other-${i}.mts`), text)
    const compilerOptions = { lib: ['esnext', 'dom'], types: ['node'], typeRoots: [join(root, 'node_modules/@types')] }
    const config = { extends: join(root, 'tsconfig.json'), compilerOptions, include: ['*.mts'] }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
    const tsc = [join(root, 'node_modules/typescript/bin/tsc'), '--project', folder, '--pretty', 'false']
    assert.equal(spawnSync(process.execPath, tsc, { encoding: 'utf8' }).stdout, '')
  } finally {
    remove()
  }
})
