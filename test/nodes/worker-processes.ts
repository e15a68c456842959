/** What Linux knows of the processes of a service. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { until } from '../../packages/server/test/support/until.ts'
import type { Service } from '../support/service.ts'

export function workersOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
}

/** How many connections of clients each of the processes has. */
export function connectionsOf(pids: readonly number[], port: number): number[] {
  const established = new Set(
    readFileSync('/proc/net/tcp', 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, local = '', , state]) => local.endsWith(`:${hex(port)}`) && state === '01')
      .map((fields) => `socket:[${fields[9]}]`),
  )
  return pids.map((pid) => readdirSync(`/proc/${pid}/fd`).filter((fd) => established.has(linkOf(pid, fd))).length)
}

function hex(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0')
}

function linkOf(pid: number, fd: string): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`)
  } catch {
    return 'closed meanwhile'
  }
}

/** Resolves when the service has said `count` times that there is another worker in the place of one that had ended. */
export async function replaced(service: Service, count: number): Promise<void> {
  await until(() => service.log().split('the place of a worker that has ended is filled').length > count)
}

export function isAlive(pid: number): boolean {
  try {
    // A process that has ended and was not asked for its exit code yet still has a name.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
