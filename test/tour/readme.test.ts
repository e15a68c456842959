import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { startService } from '../support/service.ts'
import { blocksOf } from './page.ts'
import { programOf } from './program.ts'

function block(language: string): string {
  const found = blocksOf('README.md').find((block) => block.language === language)
  return found?.text ?? assert.fail(`README.md has no block of ${language}`)
}

test('the two minutes of README.md work as a script, and show statuses', async () => {
  const service = await startService()
  try {
    const env = { ...process.env, ZAQAR: service.url }
    const { stdout, stderr } = await promisify(execFile)('sh', ['-euc', block('sh')], { env })
    assert.equal(stderr, '')
    assert.deepEqual(stdout.match(/^\d{3}$/gm), ['201', '201', '201', '201', '204', '200'])
    const documents = stdout.split('\n').filter((line) => line.startsWith('{'))
    const [posted, claimed, stats] = documents.map((line) => JSON.parse(line))
    assert.equal(posted.resources.length, 2)
    assert.deepEqual(claimed.messages[0].body, { order: 1 })
    assert.partialDeepStrictEqual(stats, { messages: { free: 1, claimed: 0, total: 1 } })
  } finally {
    await service.stop()
  }
})

test('the client of README.md works on what it has posted, and ends', async () => {
  const service = await startService()
  const program = programOf([block('ts')], service.url)
  try {
    const child = spawn(process.execPath, [program.file], { stdio: ['ignore', 'pipe', 'inherit'] })
    const exit = once(child, 'exit')
    const [line] = await once(createInterface(child.stdout), 'line')
    assert.equal(line, '{ order: 1 }')
    child.kill('SIGINT')
    assert.deepEqual(await exit, [0, null])
  } finally {
    program.remove()
    await service.stop()
  }
})
