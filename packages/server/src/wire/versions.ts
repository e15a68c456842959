import type { AnyDoor } from './door.ts'

/** A version of the API: where it is served, and its doors. */
export interface ApiVersion {
  readonly prefix: string
  readonly doors: readonly AnyDoor[]
  /** JSON text, served at the prefix and a slash. */
  readonly homeDocument: string
  /** Its entry in the document at `/`. */
  readonly entry: { readonly id: string; readonly status: 'CURRENT' | 'DEPRECATED'; readonly updated: string }
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
