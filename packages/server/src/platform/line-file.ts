import { write as writeWithCallback } from 'node:fs'
import { constants, type FileHandle, open, stat } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { LineTarget } from './line-writer.ts'

const write = promisify(writeWithCallback)

/**
 * Appends to a file, which is made for this user alone when it is missing. A file that was moved away or removed, as
 * for log rotation, is left where it is, and another one made in its place. Several processes may append to one file.
 * @throws the error of the system
 */
export async function openLineFile(path: string): Promise<LineTarget> {
  let file = await openToAppend(path)
  const follow = async (): Promise<void> => {
    if (await isAt(path, file)) return
    const moved = file
    file = await openToAppend(path)
    await moved.close()
  }
  return {
    async write(bytes) {
      await follow()
      const { bytesWritten } = await file.write(bytes)
      return bytesWritten
    },
    async close() {
      await file.datasync()
      await file.close()
    },
  }
}

/** Not by the stream of Node, which makes the process wait for whoever reads a pipe. */
export const standardOutput: LineTarget = {
  write: async (bytes) => (await write(1, bytes)).bytesWritten,
  close: async () => {},
}

async function openToAppend(path: string): Promise<FileHandle> {
  const { O_APPEND, O_CREAT, O_NONBLOCK, O_WRONLY } = constants
  // Opening a pipe that nobody reads would never end otherwise.
  const file = await open(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK, 0o600)
  if ((await file.stat()).isFile()) return file
  await file.close()
  throw Object.assign(new Error(`${path} is no regular file`), { code: 'EINVAL' })
}

async function isAt(path: string, file: FileHandle): Promise<boolean> {
  try {
    const [there, own] = await Promise.all([stat(path, { bigint: true }), file.stat({ bigint: true })])
    return there.dev === own.dev && there.ino === own.ino
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}
