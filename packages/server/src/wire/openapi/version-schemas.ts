import type { JsonSchema } from './json-schema.ts'
import type { DescribedVersion } from './types.ts'
import { labelOf } from './version-paths.ts'

const POINTER = '#/components/schemas/'

/** The same part of the document with the names of the version's own schemas in full: `v1.1.Message`. */
export function asOwn<Part>(part: Part, version: DescribedVersion): Part {
  const own = version.schemas(version.prefix)
  return JSON.parse(JSON.stringify(part), (key, value) => {
    if (key !== '$ref' || !value.startsWith(POINTER)) return value
    const name = value.slice(POINTER.length)
    return Object.hasOwn(own, name) ? `${POINTER}${labelOf(version)}.${name}` : value
  })
}

/** The version's own schemas by their full names: those that `paths` point at, and those that these point at. */
export function ownSchemas(paths: unknown, version: DescribedVersion): Readonly<Record<string, JsonSchema>> {
  const all = Object.fromEntries(
    Object.entries(version.schemas(version.prefix)).map(([name, schema]) => [
      `${labelOf(version)}.${name}`,
      asOwn(schema, version),
    ]),
  )
  return pointedAt(paths, all)
}

/** Those of the schemas that a part of the document points at, and those that these point at. */
export function pointedAt(
  part: unknown,
  schemas: Readonly<Record<string, JsonSchema>>,
): Readonly<Record<string, JsonSchema>> {
  const used = new Set<string>()
  const use = (part: unknown) => {
    for (const name of namesIn(part)) {
      if (used.has(name) || !Object.hasOwn(schemas, name)) continue
      used.add(name)
      use(schemas[name])
    }
  }
  use(part)
  return Object.fromEntries(Object.entries(schemas).filter(([name]) => used.has(name)))
}

function namesIn(part: unknown): string[] {
  return [...JSON.stringify(part).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(
    ([, name]) => name as string,
  )
}
