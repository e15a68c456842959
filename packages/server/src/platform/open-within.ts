import { constants } from 'node:fs'
import { type FileHandle, lstat, open, realpath } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'

/** Where a file may lie: what is at that path itself, or anything below it. */
export interface Place {
  readonly path: string
  readonly isFolder: boolean
}

/** A file that must not be opened, or cannot be. */
export class NotOpened extends Error {
  override readonly name = 'NotOpened'
}

/**
 * Opens a file that somebody else has named, to read it. Links to folders are followed, and do not lead out of the
 * places. Nothing is waited for, as for the other end of a pipe; nothing is made.
 * @returns null when there is no such file, but its folder is there
 * @throws NotOpened when it lies elsewhere or is no regular file; the error of the system
 */
export async function openWithin(path: string, places: readonly Place[]): Promise<FileHandle | null> {
  // Whatever lies elsewhere is not even looked at.
  const near = places.filter((place) => contains({ ...place, path: resolve(place.path) }, resolve(path)))
  if (near.length === 0) throw new NotOpened('it lies where none may')
  const real = await realPlaceOf(path)
  const roots = await Promise.all(near.map(async (place) => ({ ...place, path: await rootOf(place) })))
  if (!roots.some((place) => contains(place, real))) throw new NotOpened('it lies where none may, behind a link')
  const found = await lstat(real).catch(nullIfAbsent)
  if (found === null) return null
  if (!found.isFile()) throw new NotOpened('it is no regular file')
  // It may have become something else by now.
  const file = await open(real, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
  if ((await file.stat()).isFile()) return file
  await file.close()
  throw new NotOpened('it is no regular file')
}

function contains({ path: place, isFolder }: Place, path: string): boolean {
  return isFolder ? path.startsWith(place === '/' ? place : `${place}/`) : path === place
}

async function rootOf({ path, isFolder }: Place): Promise<string> {
  return isFolder ? realpath(path) : realPlaceOf(path)
}

/** The file itself need not be there, and may be a link. */
async function realPlaceOf(path: string): Promise<string> {
  const whole = resolve(path)
  return join(await realpath(dirname(whole)), basename(whole))
}

function nullIfAbsent(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null
  throw error
}
