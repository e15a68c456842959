import { type Stats, statSync } from 'node:fs'
import { access, constants, statfs } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { freezingSocketOf } from '../../backup/freezing-socket.ts'
import { openDatabase } from '../../storage/sqlite/database.ts'
import { newestSchema } from '../../storage/sqlite/migrate.ts'
import type { ServiceAnswers } from './ask-service.ts'
import { isOfMemory, isOfNetwork, mountOf, skipsFlushes } from './file-system.ts'
import type { Findings } from './finding.ts'
import type { Subject } from './subject.ts'

/** Less than this is soon full, in bytes. */
const LITTLE_ROOM = 1 << 30
/** A larger file takes longer than somebody who asks wants to wait, in bytes. */
const LOOKED_THROUGH = 1 << 30
/** The service itself keeps as much for what must be removed when the disk is full. */
const NO_ROOM = 64 << 20

export async function checkSqlite(
  findings: Findings,
  { service }: Pick<Subject, 'service'>,
  file: string,
): Promise<void> {
  const path = resolve(file)
  const mount = mountOf(path)
  if (mount !== null && isOfNetwork(mount)) {
    findings.error(
      `${path} lies on a file system of a network (${mount.type}), whose locks and syncs cannot be relied on`,
      'keep the store on a disk of this machine, or in PostgreSQL',
    )
    // Whoever asks it may wait for ever.
    return
  }
  if (mount !== null && isOfMemory(mount)) {
    findings.error(
      `${path} is kept in memory (${mount.type}) and gone after a restart of the machine`,
      'choose another --data-dir',
    )
  }
  if (mount !== null && skipsFlushes(mount)) {
    findings.error(
      `${mount.point} is mounted without barriers: a power cut may lose what was answered`,
      `mount it without ${mount.options.find((option) => option.includes('barrier'))}`,
    )
  }
  const stats = statSync(path, { throwIfNoEntry: false })
  const folder = await existing(dirname(path))
  await checkRoom(findings, folder)
  const answers = await service
  if (answers.who === 'service') checkServed(findings, path, stats, answers)
  else if (answers.who === 'unasked') findings.ok(`${path} is not opened, as the service seems to run`)
  else if (stats === undefined) await checkFolder(findings, path, folder)
  else checkFile(findings, path, stats.size)
  if (stats !== undefined && (stats.mode & 0o077) !== 0) {
    findings.warning(`other users of this machine may read or write ${path}`, `chmod 600 ${path}`)
  }
}

/** The path, or the folder above it that is there. */
async function existing(folder: string): Promise<string> {
  for (let path = folder; ; path = dirname(path)) {
    if (statSync(path, { throwIfNoEntry: false }) !== undefined || path === dirname(path)) return path
  }
}

async function checkRoom(findings: Findings, folder: string): Promise<void> {
  const { bavail, bsize, files, ffree } = await statfs(folder)
  const room = bavail * bsize
  const text = `${folder} has room for ${Math.floor(room / (1 << 20))} MiB`
  const remedy = 'make room, or move the data folder to a larger disk'
  if (room < NO_ROOM) findings.error(`${text}: soon nothing new is stored`, remedy)
  else if (room < LITTLE_ROOM) findings.warning(text, remedy)
  else findings.ok(text)
  if (files > 0 && ffree === 0) findings.error(`the file system of ${folder} can have no more files`, 'remove some')
}

/** The service has the file for itself, so it is asked. That it is this file shows by the socket beside it. */
function checkServed(
  findings: Findings,
  path: string,
  stats: Stats | undefined,
  { objection }: Extract<ServiceAnswers, { who: 'service' }>,
): void {
  if (stats === undefined) {
    findings.error(
      `a service runs, but there is no ${path}: it keeps its messages elsewhere`,
      'give this command the configuration that the service has',
    )
  } else if (isNobodys(path)) {
    findings.error(
      `a service runs, but it has not opened ${path}: it keeps its messages elsewhere`,
      'give this command the configuration that the service has',
    )
  } else if (objection !== null) findings.error(`the service says: ${objection}`, 'see its log')
  else findings.ok(`the service has ${path} open, and it answers`)
}

function isNobodys(path: string): boolean {
  const socket = freezingSocketOf(path)
  return socket.length <= LONGEST_SOCKET && statSync(socket, { throwIfNoEntry: false }) === undefined
}

async function checkFolder(findings: Findings, path: string, folder: string): Promise<void> {
  try {
    await access(folder, constants.W_OK | constants.X_OK)
    findings.ok(`there is no ${path} yet; the first start makes it`)
  } catch {
    findings.error(
      `there is no ${path}, and this user may not make it in ${folder}`,
      `run this as the user of the service, or make that the owner of ${folder}`,
    )
  }
}

/** Opens it as a start does, for a moment, and looks through one that is not too large for that. */
function checkFile(findings: Findings, path: string, bytes: number): void {
  try {
    const db = openDatabase(path)
    try {
      const pragma = (name: string) => Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]
      const log = pragma('journal_mode')
      const steps = Number(pragma('user_version'))
      if (log === 'wal' && pragma('synchronous') === SYNCHRONOUS_FULL) {
        findings.ok(`${path} can be opened, and every commit is synced (journal_mode wal, synchronous full)`)
      } else {
        findings.error(
          `${path} takes no log of the kind that the service relies on (journal_mode ${log})`,
          'keep the store on a disk of this machine',
        )
      }
      const damage = bytes > LOOKED_THROUGH ? 'ok' : pragma('quick_check(1)')
      if (damage !== 'ok') {
        findings.error(`${path} is damaged: ${damage}`, 'zaqar restore makes one of a backup')
      }
      if (steps > newestSchema()) {
        findings.error(`${path} was written by a newer version of the service`, 'run that version')
      }
    } finally {
      db.close()
    }
  } catch (error) {
    findings.error(
      (error as Error).message,
      'find who has it open (fuser), or correct --data-dir; zaqar restore makes one of a backup',
    )
  }
}

/** Where a path is longer, some systems make no socket. */
const LONGEST_SOCKET = 100
/** https://sqlite.org/pragma.html#pragma_synchronous */
const SYNCHRONOUS_FULL = 2
