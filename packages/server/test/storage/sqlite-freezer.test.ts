import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { ManualClock } from 'zaqar-conformance'
import { openDatabase } from '../../src/storage/sqlite/database.ts'
import { Freezer } from '../../src/storage/sqlite/freezer.ts'
import { ReserveFile } from '../../src/storage/sqlite/reserve-file.ts'
import { Room } from '../../src/storage/sqlite/room.ts'

const GIB = 1 << 30

/** A reserve on a disk that is as free as a test says. */
class Disk extends ReserveFile {
  left: number

  constructor(path: string) {
    super(path)
    this.left = 64 * GIB
  }

  override get free(): number {
    return this.left
  }
}

function open(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'zaqar-freezer-'))
  const path = join(folder, 'store')
  const db = openDatabase(path)
  t.after(() => {
    db.close()
    rmSync(folder, { recursive: true })
  })
  db.exec('CREATE TABLE words (word)')
  const disk = new Disk(`${path}-reserve`)
  const clock = new ManualClock()
  const freezer = new Freezer(db, path, new Room(db, disk), clock)
  const broken: string[] = []
  return {
    db,
    disk,
    freezer,
    broken,
    log: `${path}-wal`,
    freeze: () => freezer.freeze((why) => broken.push(why)),
    fileSize: () => statSync(path).size,
    logSize: () => statSync(`${path}-wal`).size,
    /** Writes more than would otherwise stay in the log. */
    write: () => db.exec('INSERT INTO words VALUES (zeroblob(20000000))'),
    wait: () => clock.moveTo(clock.now() + 1000),
  }
}

test('the file stays as it is until it is thawed, and has everything then', (t) => {
  const { freeze, write, wait, fileSize, logSize, broken } = open(t)
  const { bytes, thaw } = freeze()
  write()
  wait()
  assert.equal(fileSize(), bytes)
  assert.equal(thaw(), true)
  assert.equal(thaw(), false)
  assert.equal(logSize(), 0)
  assert.ok(fileSize() > bytes + 20_000_000)
  write()
  const grown = fileSize()
  assert.ok(grown > bytes + 40_000_000, 'the log is not brought into the file any more')
  wait()
  assert.deepEqual(broken, [])
})

for (const [why, size, left] of [
  ['so much was written meanwhile that the log became too long', GIB, 64 * GIB],
  ['the disk has little room left', 0, 60 << 20],
] as const) {
  test(`it is given up when ${why}`, (t) => {
    const { freeze, wait, broken, log, disk } = open(t)
    const { thaw } = freeze()
    wait()
    assert.deepEqual(broken, [])
    truncateSync(log, size)
    disk.left = left
    wait()
    assert.deepEqual(broken, [why])
    assert.equal(thaw(), false)
    if (left < GIB) assert.throws(freeze, /the disk has little room left/)
    disk.left = 64 * GIB
    assert.equal(freeze().thaw(), true)
  })
}

test('the store that closes, or is asked for two backups, says so', (t) => {
  const { freeze, freezer, broken } = open(t)
  const { thaw } = freeze()
  assert.throws(freeze, /Another backup is being made/)
  freezer.close()
  assert.deepEqual(broken, ['the service ends'])
  assert.equal(thaw(), false)
})
