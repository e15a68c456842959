import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { openLineFile } from '../../src/platform/line-file.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'zaqar-lines-'))
  path = join(folder, 'audit.log')
})
afterEach(() => rmSync(folder, { recursive: true }))

const bytes = (text: string) => Buffer.from(text)
const content = (name = path) => readFileSync(name, 'utf8')

describe('a file of lines', () => {
  test('is made for its user alone, and appended to', async () => {
    for (const text of ['one\n', 'two\n']) {
      const file = await openLineFile(path)
      assert.equal(await file.write(bytes(text)), 4)
      await file.close()
    }
    assert.equal(content(), 'one\ntwo\n')
    assert.equal(statSync(path).mode & 0o777, 0o600)
  })

  test('that is there keeps its mode', async () => {
    writeFileSync(path, 'old\n')
    chmodSync(path, 0o640)
    await (await openLineFile(path)).close()
    assert.equal(statSync(path).mode & 0o777, 0o640)
  })

  test('is made anew when it was moved away, with what was written before left where it is', async () => {
    const file = await openLineFile(path)
    await file.write(bytes('before\n'))
    renameSync(path, `${path}.1`)
    await file.write(bytes('after\n'))
    assert.equal(content(`${path}.1`), 'before\n')
    assert.equal(content(), 'after\n')
    assert.equal(statSync(path).mode & 0o777, 0o600)
    rmSync(path)
    await file.write(bytes('again\n'))
    assert.equal(content(), 'again\n')
    await file.close()
  })

  test('goes over to another file that was put in its place', async () => {
    const file = await openLineFile(path)
    renameSync(path, `${path}.1`)
    writeFileSync(path, 'made by logrotate\n')
    await file.write(bytes('after\n'))
    assert.equal(content(), 'made by logrotate\nafter\n')
    await file.close()
  })

  test('goes on at the beginning when it was cut off', async () => {
    const file = await openLineFile(path)
    await file.write(bytes('before\n'))
    truncateSync(path)
    await file.write(bytes('after\n'))
    assert.equal(content(), 'after\n')
    await file.close()
  })

  test('fails while its folder is gone, and works when it is back', async () => {
    const file = await openLineFile(path)
    renameSync(folder, `${folder}.moved`)
    await assert.rejects(file.write(bytes('lost?\n')), { code: 'ENOENT' })
    renameSync(`${folder}.moved`, folder)
    await file.write(bytes('back\n'))
    assert.equal(content(), 'back\n')
    await file.close()
  })

  test('is no pipe, whose reader might be missing, and no folder', async () => {
    await assert.rejects(openLineFile(folder), { code: 'EISDIR' })
    execFileSync('mkfifo', [path])
    await assert.rejects(openLineFile(path), { code: 'ENXIO' })
  })
})
