import type { AnyDoor, MessageForm } from './door.ts'
import type { HomeResource } from './home-documents/home-document.ts'
import type { AnswerSchemas } from './v2/answer-schemas.ts'

/** A version of the API: where it is served, and its doors. */
export interface ApiVersion {
  readonly prefix: string
  readonly doors: readonly AnyDoor[]
  /** The schemas of answers, to which the descriptions of its doors refer. */
  readonly schemas: (prefix: string) => AnswerSchemas
  readonly messageForm: MessageForm
  readonly callers: CallerRules
  /** The resources of its home document, which lies at the prefix and a slash. */
  readonly home: readonly HomeResource[]
  /** Its entry in the document at `/`. */
  readonly entry: { readonly id: string; readonly status: 'CURRENT' | 'DEPRECATED'; readonly updated: string }
}

/** What a request must say of its caller. (contract http.md 1.3, 1.4) */
export interface CallerRules {
  readonly needsProject: boolean
  /** A route may need one all the same. */
  readonly needsClientId: boolean
  /** Whether a client's id must be a UUID even where the house takes any text. */
  readonly insistsOnUuids: boolean
}

/** The same version without what is for operators only. */
export function withoutAdmin(version: ApiVersion): ApiVersion {
  return {
    ...version,
    doors: version.doors.filter(({ admin }) => !admin),
    home: version.home.filter(({ admin }) => !admin),
  }
}

/** The same version where no caller may do without a project. */
export function withProjects(version: ApiVersion): ApiVersion {
  return { ...version, callers: { ...version.callers, needsProject: true } }
}

/** The document at `/`. (contract http.md 2.1) */
export function versionsDocument(versions: readonly ApiVersion[]): string {
  const entries = versions.map(({ prefix, entry: { id, status, updated } }) => {
    const media = `application/vnd.openstack.messaging-v${id.replace('.', '_')}+json`
    return (
      `{"id": "${id}", "status": "${status}", "updated": "${updated}", ` +
      `"media-types": [{"base": "application/json", "type": "${media}"}], ` +
      `"links": [{"href": "${prefix}/", "rel": "self"}]}`
    )
  })
  return `{"versions": [${entries.join(', ')}]}`
}
