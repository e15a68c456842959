import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isOfMemory, isOfNetwork, mountOf, skipsFlushes } from '../../../src/cli/doctor/file-system.ts'

const TABLE = `23 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,errors=remount-ro
30 23 0:27 / /srv rw,relatime shared:9 - nfs4 nas:/srv rw,vers=4.2,hard
31 23 254:2 / /srv/my\\040disk rw - xfs /dev/vdb rw,nobarrier
32 23 0:28 / /run rw,nosuid - tmpfs tmpfs rw,mode=755
33 23 254:3 / /run rw - ext4 /dev/vdc rw
`

test('a path lies on the file system of the nearest mount above it, the later of two', () => {
  const typeAt = (path: string) => mountOf(path, TABLE)?.type
  assert.deepEqual(['/', '/srvelte/a', '/srv', '/srv/a', '/srv/my disk/a', '/run/zaqar'].map(typeAt), [
    'ext4',
    'ext4',
    'nfs4',
    'nfs4',
    'xfs',
    'ext4',
  ])
})

test('what a system says in another form, or not at all, is not known', () => {
  assert.deepEqual([mountOf('/srv', null), mountOf('/srv', ''), mountOf('/srv', 'nonsense\n')], [null, null, null])
})

test('file systems of a network, of memory, and without barriers are known', () => {
  const at = (path: string) => mountOf(path, TABLE) ?? assert.fail(path)
  assert.deepEqual(['/srv', '/srv/my disk', '/'].map(at).map(isOfNetwork), [true, false, false])
  assert.deepEqual(['/srv', '/srv/my disk', '/'].map(at).map(skipsFlushes), [false, true, false])
  const tmpfs = mountOf('/run', TABLE.slice(0, TABLE.indexOf('33 '))) ?? assert.fail()
  assert.equal(isOfMemory(tmpfs), true)
})
