/** How a cloud is spoken to, in the words of clouds.yaml, from a file or from variables. */

/** What a cloud has: `auth_url`, `username`, `region_name` and so on. What stands under `auth` is beside the rest. */
export type CloudSettings = Readonly<Record<string, string | undefined>>

/** Variables that choose among clouds, and belong to none. */
const SELECTORS = ['OS_CLOUD', 'OS_CLIENT_CONFIG_FILE', 'OS_CLIENT_SECURE_FILE', 'OS_CLOUD_NAME']

/**
 * `OS_AUTH_URL` is `auth_url`, and so on. Null where none is set. `OS_TRANSPORT__MAX_MESSAGE_TTL` and its like configure
 * the service.
 */
export function settingsOfEnvironment(env: Readonly<Record<string, string | undefined>>): CloudSettings | null {
  const given = Object.entries(env).filter(
    ([name, value]) => name.startsWith('OS_') && !name.includes('__') && !SELECTORS.includes(name) && value,
  )
  if (given.length === 0) return null
  return Object.fromEntries(given.map(([name, value]) => [name.slice('OS_'.length).toLowerCase(), value]))
}
