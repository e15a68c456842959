/** What a release consists of, and where it is put together. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export const repository = join(import.meta.dirname, '../..')
export const dist = join(repository, 'dist')

export const { version } = JSON.parse(readFileSync(join(repository, 'packages/server/package.json'), 'utf8')) as {
  version: string
}
/** Debian sorts 1.0.0-rc.1 behind 1.0.0, and 1.0.0~rc.1 before it. */
export const debianVersion = version.replace('-', '~')

export const executable = join(dist, `zaqar-${version}-linux-x64`)
export const debianPackage = join(dist, `zaqar_${debianVersion}_amd64.deb`)
/** The licences of what is in the executable. */
export const copyright = join(dist, 'copyright')
