import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type LineTarget, LineWriter } from '../../src/platform/line-writer.ts'
import { settled } from '../support/settled.ts'

/** A disk whose speed and health the test decides. */
class Disk implements LineTarget {
  taken: Buffer[] = []
  writes = 0
  isClosed = false
  /** Bytes that one write takes at most. */
  mostAtOnce = Number.POSITIVE_INFINITY
  error: Error | null = null
  gate: Promise<void> = Promise.resolve()

  get text(): string {
    return Buffer.concat(this.taken).toString()
  }

  async write(bytes: Buffer): Promise<number> {
    await this.gate
    this.writes++
    if (this.error !== null) throw this.error
    const taken = bytes.subarray(0, this.mostAtOnce)
    this.taken.push(taken)
    return taken.length
  }

  async close(): Promise<void> {
    this.isClosed = true
  }
}

interface Opened {
  readonly writer: LineWriter
  readonly reports: readonly string[]
  /** Ends the pauses under way. */
  pass(): void
}

function openWriter(disk: Disk): Opened {
  const reports: string[] = []
  let pausing: (() => void)[] = []
  const writer = new LineWriter({
    target: disk,
    reports: {
      failed: (error) => void reports.push(`failed: ${(error as Error).message}`),
      full: () => void reports.push('full'),
      lost: (lines) => void reports.push(`lost ${lines}`),
    },
    lineOfLost: (lines) => `${lines} lost`,
    pause: (_milliseconds, signal) =>
      new Promise((resolve) => {
        pausing.push(resolve)
        signal.addEventListener('abort', () => resolve())
      }),
  })
  const pass = () => {
    for (const end of pausing) end()
    pausing = []
  }
  return { writer, reports, pass }
}

/** Eight of these are all that is held. */
const MEGABYTE = 'x'.repeat(1024 * 1024)

describe('a writer of lines', () => {
  test('writes them in order, those of one turn together', async () => {
    const disk = new Disk()
    const { writer, reports } = openWriter(disk)
    for (let i = 0; i < 10; i++) writer.write(String(i))
    await settled()
    writer.write('later')
    await settled()
    assert.equal(disk.text, '0\n1\n2\n3\n4\n5\n6\n7\n8\n9\nlater\n')
    assert.equal(disk.writes, 2)
    assert.deepEqual(reports, [])
  })

  test('goes on where a disk stopped that took only a part', async () => {
    const disk = new Disk()
    disk.mostAtOnce = 3
    const { writer } = openWriter(disk)
    writer.write('äöü first')
    writer.write('second')
    await writer.close()
    assert.equal(disk.text, 'äöü first\nsecond\n')
  })

  test('holds lines while the disk fails, says so once, and writes them when it works again', async () => {
    const disk = new Disk()
    disk.error = new Error('no space')
    const { writer, reports, pass } = openWriter(disk)
    writer.write('one')
    for (let tries = 0; tries < 3; tries++) {
      await settled()
      pass()
    }
    writer.write('two')
    await settled()
    assert.deepEqual(reports, ['failed: no space'])
    disk.error = null
    pass()
    await settled()
    assert.equal(disk.text, 'one\ntwo\n')
  })

  test('loses what finds no room behind a slow disk, and puts their number in their place', async () => {
    const disk = new Disk()
    const { promise, resolve } = Promise.withResolvers<void>()
    disk.gate = promise
    const { writer, reports } = openWriter(disk)
    for (let i = 0; i < 8; i++) writer.write(MEGABYTE)
    for (let i = 0; i < 100; i++) writer.write('no room')
    assert.deepEqual(reports, ['full'])
    resolve()
    await settled()
    writer.write('there is room')
    await settled()
    assert.deepEqual(reports, ['full', 'lost 100'])
    assert.equal(disk.text.replaceAll(MEGABYTE, 'M'), `${'M\n'.repeat(8)}100 lost\nthere is room\n`)
  })

  test('has written everything when it is closed', async () => {
    const disk = new Disk()
    const { writer } = openWriter(disk)
    for (let i = 0; i < 2500; i++) writer.write(String(i))
    await writer.close()
    assert.equal(disk.text.split('\n').length, 2501)
    assert.ok(disk.isClosed)
  })

  test('closes at once on a disk that fails, and says what is missing', async () => {
    const disk = new Disk()
    disk.error = new Error('broken')
    const { writer, reports } = openWriter(disk)
    writer.write('one')
    writer.write('two')
    await writer.close()
    assert.deepEqual(reports, ['failed: broken', 'lost 2'])
  })

  test('does not wait for ever for a disk that hangs', async () => {
    const disk = new Disk()
    disk.gate = new Promise(() => {})
    const { writer, reports, pass } = openWriter(disk)
    writer.write('one')
    await settled()
    const closed = writer.close()
    pass()
    await closed
    assert.deepEqual(reports, ['lost 1'])
    assert.equal(disk.isClosed, false)
  })
})
