import type { Limits } from '../../core/rules/limits.ts'
import { commonSchemas } from './common-schemas.ts'
import { homePath } from './home-path.ts'
import { callerParameters } from './parameters.ts'
import type { DescribedVersion, OpenApi, OpenApiOperation, Paths, Tag } from './types.ts'
import { labelOf, versionPaths } from './version-paths.ts'
import { asOwn, ownSchemas } from './version-schemas.ts'

/** Describes what is served: versions, the oldest first, and at `publicPaths` what belongs to none. */
export function openApi(versions: readonly DescribedVersion[], publicPaths: Paths, limits: Limits): OpenApi {
  const described = versions.toReversed().map((version) => {
    const paths = asOwn({ ...versionPaths(version, limits), ...homePath(version) }, version)
    return { name: labelOf(version), paths, tags: tagsOf(paths), schemas: ownSchemas(paths, version) }
  })
  return {
    openapi: '3.1.0',
    info: { title: 'Zaqar', version: versions.at(-1)?.entry.id ?? '', description: ABOUT },
    tags: [...described.flatMap(({ tags }) => tags), ...tagsOf(publicPaths)],
    'x-tagGroups': [
      ...described.map(({ name, tags }) => ({ name, tags: tags.map((tag) => tag.name) })),
      { name: 'every version', tags: tagsOf(publicPaths).map((tag) => tag.name) },
    ],
    paths: Object.assign({}, ...described.map(({ paths }) => paths), publicPaths),
    components: {
      schemas: Object.assign({}, commonSchemas, ...described.map(({ schemas }) => schemas)),
      parameters: callerParameters,
      securitySchemes: SECURITY,
    },
  }
}

/** In the order of `NOUNS`. */
function tagsOf(paths: Paths): Tag[] {
  const used = new Set(
    Object.values(paths)
      .flatMap(Object.values<OpenApiOperation>)
      .flatMap(({ tags }) => tags),
  )
  const nounOf = (tag: string) => tag.slice(tag.lastIndexOf(' ') + 1) as keyof typeof NOUNS
  return Object.entries(NOUNS).flatMap(([noun, description]) =>
    [...used].filter((tag) => nounOf(tag) === noun).map((name) => ({ name, description })),
  )
}

const ABOUT = `Queues and notifications for many projects, in the API of OpenStack Zaqar.

Requests name their client and their project. Times are seconds, ids and markers are opaque, fields that are not \
described are dropped unless it says otherwise.

The versions have the same queues and messages. What is deprecated is kept for clients that know nothing newer.

An error has a \`title\` and mostly a \`description\`. A method that a path does not have is answered 405, with the methods \
in \`Allow\`; a path that does not exist 404. Every answer carries \`X-OpenStack-Request-ID\`.

What is called an addition of this service, the original has not. Requests that do not use it are answered as by the \
original.`

const NOUNS = {
  queues: 'Where messages wait.',
  messages: 'Any JSON, with a time to live.',
  claims: 'Messages that one worker holds for a while.',
  subscriptions: 'Who is told of new messages.',
  topics: 'Like queues, for messages that nobody claims.',
  pools: 'Stores over which queues are spread. For operators.',
  flavors: 'Pools of one kind, for queues that ask for it. For operators.',
  service: 'The service itself.',
}

const SECURITY = {
  token: { type: 'apiKey', in: 'header', name: 'X-Auth-Token', description: 'Where Keystone is used.' },
  signedUrl: {
    type: 'apiKey',
    in: 'header',
    name: 'URL-Signature',
    description: 'With URL-Paths, URL-Methods, URL-Expires and X-Project-ID, as `share` answers them.',
  },
}
