/** Finds a cloud in clouds.yaml and secure.yaml, where openstacksdk looks for them. */
import { join } from 'node:path'
import type { Files } from '../../config/sources.ts'
import type { Shell } from '../shell.ts'
import type { CloudSettings } from './cloud-settings.ts'
import { ConnectionError } from './connection-error.ts'

type Section = Readonly<Record<string, unknown>>

/** Of the cloud with that name. @throws ConnectionError where it is not there, or a file cannot be read */
export async function settingsOfCloud(
  name: string,
  { env, homeDir }: Pick<Shell, 'env' | 'homeDir'>,
  { files, workingDir }: { readonly files: Pick<Files, 'readFile'>; readonly workingDir: string },
): Promise<CloudSettings> {
  const folders = [
    workingDir,
    join(env['XDG_CONFIG_HOME'] || join(homeDir, '.config'), 'openstack'),
    join(homeDir, '.config/openstack'),
    '/etc/xdg/openstack',
    '/etc/openstack',
  ]
  const clouds = await firstOf('clouds', env['OS_CLIENT_CONFIG_FILE'])
  if (clouds === null) {
    throw new ConnectionError(
      `there is no clouds.yaml with the cloud ${name}; it was looked for in ${[...new Set(folders)].join(', ')}`,
    )
  }
  const cloud = sectionIn(clouds.content, 'clouds')[name]
  if (!isSection(cloud)) throw new ConnectionError(`${clouds.path} has no cloud ${name}`)
  const secure = await firstOf('secure', env['OS_CLIENT_SECURE_FILE'])
  const secrets = secure === null ? {} : sectionIn(sectionIn(secure.content, 'clouds'), name)
  return flattened(cloud, secrets)

  /** The first file of that name that is there. */
  async function firstOf(file: string, given: string | undefined): Promise<{ path: string; content: Section } | null> {
    const usual = folders.flatMap((folder) =>
      ['yaml', 'yml', 'json'].map((ending) => join(folder, `${file}.${ending}`)),
    )
    for (const path of given ? [given, ...usual] : usual) {
      const text = read(path)
      if (text !== null) return { path, content: await parsed(path, text) }
    }
    return null
  }

  function read(path: string): string | null {
    try {
      return files.readFile(path)
    } catch (error) {
      throw new ConnectionError(`${path}: cannot be read: ${(error as Error).message}`)
    }
  }
}

async function parsed(path: string, text: string): Promise<Section> {
  const { parse } = await import('yaml')
  let content: unknown
  try {
    content = parse(text)
  } catch (error) {
    // What follows the first line quotes the file, which may hold passwords.
    throw new ConnectionError(`${path}: ${(error as Error).message.split('\n')[0]}`)
  }
  return isSection(content) ? content : {}
}

/** Secrets win; `auth` of either is beside the rest. */
function flattened(cloud: Section, secrets: Section): CloudSettings {
  const parts = [cloud, secrets, sectionIn(cloud, 'auth'), sectionIn(secrets, 'auth')]
  const texts = parts.flatMap(Object.entries).flatMap(([key, value]) => {
    const isScalar = ['string', 'number', 'boolean'].includes(typeof value)
    return isScalar ? [[key.replaceAll('-', '_'), String(value)] as const] : []
  })
  return Object.fromEntries(texts)
}

function sectionIn(section: Section, name: string): Section {
  const found = section[name]
  return isSection(found) ? found : {}
}

function isSection(value: unknown): value is Section {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
